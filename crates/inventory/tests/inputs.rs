//! One file a case: the inventory that is read from it, or the mistakes that it holds (`err_*`).

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use diagnostic::Diagnose;
use inventory::Inventory;

#[test]
fn inputs() {
    insta::glob!("inputs/*", |path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let shown = match Inventory::load(&[path.to_str().unwrap()]) {
            Ok(inventory) => {
                assert!(!name.starts_with("err_"), "{name} was read without a mistake");
                let list = inventory.to_list(None).unwrap();
                let mut shown = inventory.to_graph(None).unwrap() + &format!("{:#}\n", list["_meta"]["hostvars"]);
                inventory.warnings().iter().for_each(|warning| shown += &marked("warning", warning));
                shown
            }
            Err(error) => {
                assert!(name.starts_with("err_"), "{name}: {:?}", error.parts());
                all(&error).into_iter().map(|mistake| marked("error", mistake)).collect()
            }
        };
        let directory = path.parent().unwrap().to_str().unwrap().to_owned() + "/";
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "snapshots" }, {
            insta::assert_snapshot!(shown.replace(&directory, ""));
        });
    });
}

fn all(error: &dyn Diagnose) -> Vec<&dyn Diagnose> {
    let parts = error.parts();
    if parts.is_empty() { vec![error] } else { parts }
}

/// The mistake below its line, much as the program shows it.
fn marked(level: &str, mistake: &dyn Diagnose) -> String {
    let mut shown = format!("{level}: {mistake}\n");
    if let Some(position) = mistake.position() {
        let text = std::fs::read_to_string(&*position.file).unwrap();
        let line = text.lines().nth(position.line as usize - 1).unwrap_or_default().trim_start_matches('\u{feff}');
        let space = " ".repeat(position.column as usize - 1);
        let label = mistake.label().unwrap_or_default();
        shown += &format!("{:>2} {line}\n   {space}{} {label}\n", position.line, "^".repeat(position.length as usize));
    }
    if let Some(hint) = mistake.hint() {
        shown += &format!("   = hint: {hint}\n");
    }
    shown + "\n"
}
