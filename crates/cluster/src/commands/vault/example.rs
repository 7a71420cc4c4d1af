//! `cfg.example.yml`: the keys that a service's encrypted configuration has.

use crate::config;
use crate::context::Context;
use crate::exit::Result;
use catalog::Service;
use diagnostic::Mistake;
use vault::Plaintext;

/// The example's text, which `create` opens the editor with; empty when there is none.
pub(super) fn read(service: &Service) -> Result<Plaintext> {
    let path = service.example_config();
    if path.exists() { super::file::read(&config::shown(&path)) } else { Ok(Plaintext::new(Vec::new())) }
}

/// Warns of what a deployment would refuse. The file is written all the same: nothing that was typed is lost.
pub(super) fn compare(service: &Service, plaintext: &[u8], context: &Context) {
    let path = config::shown(&service.encrypted_config());
    let text = String::from_utf8_lossy(plaintext);
    let found = crate::service_config::read(&path, &text).and_then(|found| found.complete(service));
    for mistake in found.err().into_iter().flatten() {
        let hint = format!("run `cluster vault edit {}`", service.name);
        context.output.warning(&Mistake::new(mistake.to_string()).hinted(hint));
    }
}
