//! What a file is, by its name: whether assignments are looked for in it, and how they are written there.

/// Program text and prose: words such as `token` mean anything there, so only forms that can be nothing else are sought.
const PROSE: [&str; 36] = [
    "adoc", "c", "cc", "cjs", "cpp", "css", "csv", "diff", "go", "h", "html", "java", "js", "jsx", "kt", "lock", "log",
    "lua", "md", "mjs", "mod", "patch", "php", "pl", "py", "rb", "rs", "rst", "scss", "snap", "sql", "sum", "svg",
    "ts", "tsx", "txt",
];

/// How a file writes assignments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `key: value`, and `key=value` inside of texts.
    Yaml,
    /// `"key": "value"`.
    Json,
    /// `key = value`, `key=value`, `key: value`.
    Ini,
    /// `key=value`, where blanks end the value.
    Shell,
    /// None are sought.
    Prose,
}

/// A file's style. Templates are what they become.
pub(super) fn style(path: &str) -> Style {
    let name = file_name(path).to_lowercase();
    let name = [".j2", ".tpl", ".tmpl", ".gotmpl"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    let Some((stem, extension)) = name.rsplit_once('.') else {
        // Inventories, variables of a group, Dockerfiles; names of templates in charts (`_helpers.tpl`).
        return if name.starts_with('_') { Style::Yaml } else { Style::Ini };
    };
    match extension {
        "yml" | "yaml" => Style::Yaml,
        "json" | "json5" | "jsonc" => Style::Json,
        "sh" | "bash" | "zsh" | "env" => Style::Shell,
        _ if name.starts_with(".env") || stem.is_empty() && extension == "envrc" => Style::Shell,
        _ if PROSE.contains(&extension) => Style::Prose,
        _ => Style::Ini,
    }
}

/// Whether it shows how another file is written, or holds values that a chart is tested with (`ci/*-values.yaml`, where chart-testing
/// looks for them: https://github.com/helm/chart-testing).
pub(super) fn is_example(path: &str) -> bool {
    let name = file_name(path).to_lowercase();
    let of_tests = ["-values.yaml", "-values.yml"].iter().any(|end| name.ends_with(end));
    if of_tests && path.rsplit('/').nth(1) == Some("ci") {
        return true;
    }
    name.split('.').skip(1).any(|part| ["example", "sample", "dist"].contains(&part))
}

pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("group_vars/all.yml", Style::Yaml)]
    #[case("a/app.yml.j2", Style::Yaml)]
    #[case("templates/_helpers.tpl", Style::Yaml)]
    #[case("inventory/hosts", Style::Ini)]
    #[case("cluster.toml", Style::Ini)]
    #[case(".env", Style::Shell)]
    #[case("web/.env.production", Style::Shell)]
    #[case("values.schema.json", Style::Json)]
    #[case("src/main.rs", Style::Prose)]
    #[case("README.md", Style::Prose)]
    fn styles(#[case] path: &str, #[case] expected: Style) {
        assert_eq!(style(path), expected);
    }

    #[rstest]
    #[case("a/cfg.example.yml", true)]
    #[case(".env.example", true)]
    #[case("build/charts/x/ci/everything-values.yaml", true)]
    #[case("ci/values.yaml", false)]
    #[case("example.com/values.yml", false)]
    #[case("example.yml", false)]
    fn examples(#[case] path: &str, #[case] expected: bool) {
        assert_eq!(is_example(path), expected);
    }
}
