//! The check of keywords that plays, blocks and tasks share.

use super::items::Checker;
use super::templates;
use crate::load::Level;

impl Checker<'_> {
    /// Checks a level's keywords and variables, once.
    pub(super) fn level(&mut self, level: &Level) {
        if !self.seen.insert(std::ptr::from_ref(level)) {
            return;
        }
        let keywords = &level.keywords;
        let nodes = [
            &keywords.name,
            &keywords.any_errors_fatal,
            &keywords.r#become,
            &keywords.become_method,
            &keywords.become_user,
            &keywords.check_mode,
            &keywords.connection,
            &keywords.delegate_to,
            &keywords.diff,
            &keywords.environment,
            &keywords.ignore_errors,
            &keywords.ignore_unreachable,
            &keywords.no_log,
            &keywords.port,
            &keywords.remote_user,
            &keywords.run_once,
            &keywords.throttle,
            &keywords.timeout,
        ];
        for node in nodes.into_iter().flatten().chain(&keywords.tags).chain(level.vars.values().map(AsRef::as_ref)) {
            templates::node(node, self.problems);
        }
        keywords.when.iter().for_each(|node| templates::condition(node, self.problems));
        self.notified(keywords.notify.as_deref().unwrap_or_default());
    }
}
