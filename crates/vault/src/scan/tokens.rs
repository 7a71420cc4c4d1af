//! Tokens whose form tells who gave them out, as those who do document it so that scanners find them.

use super::finding::{Hit, Kind};
use regex::Regex;
use std::sync::LazyLock;

/// Name and form. Each form has one group: the token.
const FORMS: [(&str, &str); 22] = [
    ("an access key of AWS", r"(?:AKIA|ASIA)[0-9A-Z]{16}"),
    ("a token of GitHub", r"gh[pousr]_[A-Za-z0-9]{36,}"),
    ("a token of GitHub", r"github_pat_[A-Za-z0-9_]{50,}"),
    ("a token of GitLab", r"glpat-[A-Za-z0-9_-]{20,}"),
    ("a token of Slack", r"xox[abeoprs]-[A-Za-z0-9]{2,}-[A-Za-z0-9-]{10,}"),
    ("a webhook of Slack", r"hooks\.slack\.com/services/T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{16,}"),
    ("a webhook of Discord", r"discord(?:app)?\.com/api/webhooks/[0-9]{15,}/[A-Za-z0-9_-]{40,}"),
    ("a key of Tailscale", r"tskey-(?:[a-z]+-)?[A-Za-z0-9]{6,}-[A-Za-z0-9]{10,}"),
    ("a token of K3s", r"K10[0-9a-f]{64}::[a-z:]*[A-Za-z0-9._-]{8,}"),
    ("a JSON web token", r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}"),
    ("a token of npm", r"npm_[A-Za-z0-9]{36}"),
    ("a token of PyPI", r"pypi-AgEI[A-Za-z0-9_-]{50,}"),
    ("a token of Docker Hub", r"dckr_pat_[A-Za-z0-9_-]{20,}"),
    ("a token of DigitalOcean", r"do[opr]_v1_[a-f0-9]{64}"),
    ("a token of Grafana", r"gl(?:sa|c)_[A-Za-z0-9+/=_]{30,}"),
    ("a token of HashiCorp Vault", r"hv[sbr]\.[A-Za-z0-9_-]{24,}"),
    ("a token of Hugging Face", r"hf_[A-Za-z]{34}"),
    ("a key of Google", r"AIza[0-9A-Za-z_-]{35}"),
    ("a key of Stripe", r"[sr]k_live_[A-Za-z0-9]{20,}"),
    ("a key of an AI service", r"sk-(?:ant|proj)-[A-Za-z0-9_-]{30,}"),
    ("a token of a Telegram bot", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"),
    ("a private key of age", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
];

static ANY: LazyLock<Regex> = LazyLock::new(|| {
    let forms: Vec<String> = FORMS.iter().map(|(_, form)| format!("({form})")).collect();
    Regex::new(&forms.join("|")).expect("the forms are fixed")
});

pub(super) fn hits(text: &str) -> Vec<Hit> {
    let found = ANY.captures_iter(text).filter_map(|captures| {
        let (form, token) = (1..=FORMS.len()).find_map(|group| Some((group - 1, captures.get(group)?)))?;
        let stands_alone = !text[..token.start()].ends_with(|before: char| before.is_ascii_alphanumeric());
        // Documentation shows tokens with this in them, and rows of one sign.
        let is_real = !token.as_str().to_uppercase().contains("EXAMPLE") && has_variety(token.as_str());
        (stands_alone && is_real).then(|| Hit::new(Kind::Token, token.range(), FORMS[form].0))
    });
    found.collect()
}

/// Whether its end is more than a few signs repeated, as in `ghp_xxxxxxxx`.
fn has_variety(token: &str) -> bool {
    let end: std::collections::BTreeSet<char> = token.chars().rev().take(10).collect();
    end.len() > 3
}
