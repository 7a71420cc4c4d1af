//! This repository itself: no secret stands in it in plain text, and looking for them takes no time to speak of.

use std::path::Path;

#[test]
fn no_secret_stands_in_this_repository() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let before = std::time::Instant::now();
    let found: Vec<String> = vault::scan::below(&root)
        .iter()
        .map(|finding| format!("{}: {} ({})", finding.position, finding.what, finding.kind))
        .collect();
    assert!(found.is_empty(), "encrypt them, or say `# not a secret: REASON`:\n{}", found.join("\n"));
    assert!(before.elapsed().as_secs() < 20, "{:?}", before.elapsed());
}
