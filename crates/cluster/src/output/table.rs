//! Tables as kubectl prints them: no lines, columns by spaces.

use comfy_table::{ContentArrangement, Table, presets};

/// A table with its header in capitals.
pub(crate) fn table<R, C>(header: &[&str], rows: R) -> String
where
    R: IntoIterator<Item = Vec<C>>,
    C: ToString,
{
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header.iter().map(|title| title.to_uppercase()));
    for row in rows {
        table.add_row(row.iter().map(ToString::to_string));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 3));
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_stand_under_each_other() {
        let text = table(&["name", "phase"], [vec!["ollama", "application"], vec!["postgres", "core"]]);
        assert_eq!(text, "NAME       PHASE\nollama     application\npostgres   core");
    }
}
