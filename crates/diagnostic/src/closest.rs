//! "Did you mean": the valid name nearest to what was written.

/// The candidate most like `name`, if one is like enough to be worth suggesting. Case is ignored.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (likeness(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= WORTH_SUGGESTING)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// clap suggests subcommands from the same likeness on (clap_builder 4, `parser/features/suggestions.rs`).
const WORTH_SUGGESTING: f64 = 0.7;

/// From 0 to 1. A name whose last part is the one asked for (`ansible.builtin.copy` for `copy`) counts as very like.
fn likeness(wanted: &str, candidate: &str) -> f64 {
    if candidate.rsplit('.').next() == Some(wanted) {
        return 0.99;
    }
    strsim::jaro_winkler(wanted, candidate)
}

#[cfg(test)]
mod tests {
    use super::closest;
    use rstest::rstest;

    #[rstest]
    #[case("postgress", Some("postgres"))]
    #[case("Ollama", Some("ollama"))]
    #[case("zzz", None)]
    fn suggests_only_what_is_like(#[case] name: &str, #[case] expected: Option<&str>) {
        assert_eq!(closest(name, ["ollama", "postgres", "redis"]), expected);
    }

    #[test]
    fn a_short_name_finds_its_long_form() {
        assert_eq!(closest("apt", ["ansible.builtin.apt_key", "ansible.builtin.apt"]), Some("ansible.builtin.apt"));
    }
}
