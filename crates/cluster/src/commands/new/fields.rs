//! One function per answer: its text, checked. The rules are those of the charts' schemas (`build/charts/common/definitions.json`) and of
//! service.yml, told in the words of the question.

use super::wanted::{ImageName, SecretVariable, Upstream};
use catalog::ServiceName;
use diagnostic::Mistake;

type Checked<T> = Result<T, Mistake>;

/// A service's name.
pub(super) fn name(text: &str) -> Checked<ServiceName> {
    text.parse().map_err(|error: catalog::InvalidName| {
        let mistake = Mistake::new(error.to_string());
        match nearest_name(text) {
            Some(nearest) => mistake.hinted(format!("`{nearest}` would be one")),
            None => mistake,
        }
    })
}

/// What somebody may have meant by `My_App`.
fn nearest_name(text: &str) -> Option<ServiceName> {
    let letters =
        text.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect::<String>();
    let parts: Vec<_> = letters.split('-').filter(|part| !part.is_empty()).collect();
    parts.join("-").parse().ok()
}

/// `REPOSITORY:TAG[@sha256:…]`, the tag a version.
pub(super) fn image(text: &str) -> Checked<ImageName> {
    let (name, digest) = text.split_once('@').unwrap_or((text, ""));
    // A colon before a slash belongs to a registry's port.
    let (repository, tag) = match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, tag),
        _ => (name, ""),
    };
    let image = ImageName { repository: repository.to_owned(), tag: tag.to_owned(), digest: digest.to_owned() };
    if !is_repository(repository) {
        let hint = "write it as in `docker pull`, without `https://`: ghcr.io/example/notes:1.2.3";
        return Err(Mistake::new(format!("`{text}` is no image")).hinted(hint));
    }
    if tag.is_empty() {
        let hint = format!("name the version: `{repository}:1.2.3`");
        return Err(Mistake::new(format!("image `{text}` has no tag")).hinted(hint));
    }
    if !is_version(tag) {
        let message =
            format!("tag `{tag}` of image `{repository}` is no version: what it stands for changes under your feet");
        return Err(Mistake::new(message).hinted("take a tag with a number in it; the image's page lists them"));
    }
    if text.contains('@') && !is_digest(digest) {
        let message = format!("`{digest}` is no digest");
        return Err(Mistake::new(message).hinted("`sha256:` and 64 hexadecimal digits in lower case"));
    }
    Ok(image)
}

fn is_repository(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._/:-".contains(c);
    text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.chars().all(allowed)
        && text.split('/').all(|part| !part.is_empty())
        && !text.starts_with("http:")
        && !text.starts_with("https:")
}

/// Holds a digit behind at most a word: `v1.2`, `17-alpine`, `RELEASE.2025-01-01`; not `latest`, not `stable`.
fn is_version(tag: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    tag.len() <= 128
        && tag.chars().all(allowed)
        && tag.contains(|c: char| c.is_ascii_digit())
        && tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
}

fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    digits.len() == 64 && digits.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

/// A port.
pub(super) fn port(text: &str) -> Checked<u16> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(Mistake::new(format!("`{text}` is no port")).hinted("a number from 1 to 65535")),
    }
}

/// A size with a unit. Kubernetes would take a bare number as bytes, which nobody means.
pub(super) fn size(text: &str) -> Checked<String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let mistake = Mistake::new(format!("`{text}` is no size"));
    let Ok(amount) = number.parse::<f64>() else {
        return Err(mistake.hinted("a number and a unit, such as 500Mi or 2Gi"));
    };
    let written_well =
        number.starts_with(|c: char| c.is_ascii_digit()) && number.ends_with(|c: char| c.is_ascii_digit());
    match unit {
        "k" | "M" | "G" | "T" | "P" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi" if amount > 0.0 && written_well => {
            Ok(text.to_owned())
        }
        "" if amount > 0.0 => {
            Err(mistake.hinted(format!("it would be {number} bytes: write a unit, such as {number}Gi")))
        }
        _ if amount <= 0.0 => Err(mistake.hinted("a volume has to be larger than nothing")),
        other => Err(mistake.hinted(match binary(other) {
            Some(unit) => format!("write `{number}{unit}`"),
            None => "the units are Mi, Gi and Ti, or M, G and T for powers of ten".to_owned(),
        })),
    }
}

/// `GB`, `gb`, `g` and `GiB` are what people write for `Gi`.
fn binary(unit: &str) -> Option<&'static str> {
    match unit.to_lowercase().trim_end_matches('b').trim_end_matches('i') {
        "k" => Some("Ki"),
        "m" => Some("Mi"),
        "g" => Some("Gi"),
        "t" => Some("Ti"),
        "p" => Some("Pi"),
        _ => None,
    }
}

/// A folder in the container for the data.
pub(super) fn mount(text: &str) -> Checked<String> {
    let path = text.trim_end_matches('/');
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
    let mistake = |message: String| Mistake::new(message).hinted("where the program keeps its data, such as /data");
    let parts = path.split('/').skip(1);
    if !path.starts_with('/')
        || !path.chars().all(allowed)
        || parts.into_iter().any(|part| matches!(part, "" | "." | ".."))
    {
        return Err(mistake(format!("`{text}` is no absolute path of plain letters")));
    }
    // The library mounts an empty folder there.
    if path == "/tmp" {
        return Err(mistake("`/tmp` is emptied with each pod, so no data can lie there".to_owned()));
    }
    Ok(path.to_owned())
}

/// A path that is asked over HTTP.
pub(super) fn health(text: &str) -> Checked<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/._~-%?&=+:@!,;".contains(c);
    if text.starts_with('/') && text.chars().all(allowed) {
        return Ok(text.to_owned());
    }
    let message = format!("`{text}` is no path to ask for");
    Err(Mistake::new(message).hinted("it begins with a slash and has neither spaces nor quotes: /health"))
}

/// A user's number.
pub(super) fn user(text: &str) -> Checked<u32> {
    match text.parse() {
        Ok(0) => {
            let hint = "nearly every image runs as another user, such as 1000; for one that can't, write `exceptions` in service.yml";
            Err(Mistake::new("a service does not run as root").hinted(hint))
        }
        // Kubernetes takes no larger one: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#security-context
        Ok(user) if user <= i32::MAX.unsigned_abs() => Ok(user),
        _ => Err(Mistake::new(format!("`{text}` is no user's number")).hinted("a number above 0, such as 1000")),
    }
}

/// A namespace: a DNS label.
pub(super) fn namespace(text: &str) -> Checked<String> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = text.len() <= 63 && text.starts_with(letter) && text.ends_with(letter);
    if good && text.chars().all(|c| letter(c) || c == '-') {
        return Ok(text.to_owned());
    }
    let message = format!("`{text}` is no namespace");
    Err(Mistake::new(message).hinted("lower-case letters, digits and hyphens, at most 63 characters"))
}

/// `https://repository/chart@version`, `oci://registry/path/chart@version`.
pub(super) fn chart(text: &str) -> Checked<Upstream> {
    let mistake = |message: String| {
        Mistake::new(message)
            .hinted("https://charts.example.org/gate@1.2.3, or oci://ghcr.io/example/charts/gate@1.2.3")
    };
    let (place, version) = text.rsplit_once('@').ok_or_else(|| mistake(format!("chart `{text}` has no version")))?;
    let (repository, chart) = place.rsplit_once('/').unwrap_or((place, ""));
    let host = ["https://", "http://", "oci://"].iter().find_map(|scheme| repository.strip_prefix(scheme));
    let letters = |c: char| c.is_ascii_alphanumeric() || "._/:~-".contains(c);
    if !host.is_some_and(|host| !host.is_empty() && !host.starts_with('/') && host.chars().all(letters)) {
        return Err(mistake(format!("`{place}` is no place of a chart")));
    }
    // As Helm has it: https://helm.sh/docs/chart_best_practices/conventions/
    let named = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._".contains(c);
    if !chart.starts_with(|c: char| c.is_ascii_lowercase()) || !chart.chars().all(named) {
        return Err(mistake(format!("`{chart}` is no name of a chart")));
    }
    // Values of that name are the library's, or everybody's.
    if matches!(chart, "common" | "global") {
        let message =
            format!("a chart called `{chart}` can not stand beside the library chart: their values have one name");
        return Err(Mistake::new(message).hinted("depend on it by hand, with an `alias`"));
    }
    let number = version.strip_prefix('v').unwrap_or(version);
    if semver::Version::parse(number).is_err() {
        return Err(mistake(format!("`{version}` is no version of a chart: all three numbers have to be there")));
    }
    Ok(Upstream {
        repository: repository.to_owned(),
        chart: chart.to_owned(),
        version: version.to_owned(),
        crds: false,
    })
}

/// Half a line on what it is.
pub(super) fn summary(text: &str) -> Checked<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 100 || text.chars().any(char::is_control) {
        return Err(Mistake::new("the summary has to be one line of 1 to 100 characters"));
    }
    Ok(text.to_owned())
}

/// A word for lists.
pub(super) fn category(text: &str) -> Checked<String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || " -".contains(c);
    if text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(allowed) {
        return Ok(text.trim_end().to_owned());
    }
    let message = format!("category `{text}` is not in plain lower-case letters");
    Err(Mistake::new(message).hinted("ai, database, messaging, monitoring, networking, web, …"))
}

/// An environment variable; its key in the configuration is the same in lower case.
pub(super) fn secret(text: &str) -> Checked<SecretVariable> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(allowed) {
        return Ok(SecretVariable { variable: text.to_owned(), key: text.to_lowercase() });
    }
    // Whoever wrote `TOKEN=abc` wrote a secret, which is not shown again.
    let name = text.split('=').next().unwrap_or_default();
    let mistake = Mistake::new(format!("`{name}` is no name of an environment variable"));
    match text.contains('=') {
        true => Err(Mistake::new(format!("`--secret-env {name}` takes the name alone"))
            .hinted("its value goes to cfg.enc: `cluster vault create` opens it")),
        false => Err(mistake.hinted("letters, digits and underscores, a letter first: API_TOKEN")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("redis:7.4.11-bookworm", Some(("redis", "7.4.11-bookworm")))]
    #[case("ghcr.io/a/b:v1", Some(("ghcr.io/a/b", "v1")))]
    #[case("localhost:5000/a:1", Some(("localhost:5000/a", "1")))]
    #[case("localhost:5000/a", None)]
    #[case("redis", None)]
    #[case("redis:", None)]
    #[case("redis:latest", None)]
    #[case("Redis:1", None)]
    #[case("https://ghcr.io/a/b:1", None)]
    #[case("a//b:1", None)]
    #[case("a:1@sha256:12", None)]
    #[case("a:1@", None)]
    #[case("a b:1", None)]
    #[case("", None)]
    fn images_have_a_version(#[case] text: &str, #[case] parts: Option<(&str, &str)>) {
        let image = image(text).ok();
        let found = image.as_ref().map(|image| (image.repository.as_str(), image.tag.as_str()));
        assert_eq!(found, parts);
    }

    #[rstest]
    #[case("1Gi", true)]
    #[case("1.5Gi", true)]
    #[case("500M", true)]
    #[case("10", false)]
    #[case("0Gi", false)]
    #[case("5m", false)]
    #[case("1GB", false)]
    #[case("-1Gi", false)]
    #[case(".Gi", false)]
    #[case("1.Gi", false)]
    #[case("Gi", false)]
    #[case("", false)]
    #[case("1 Gi", false)]
    fn sizes_have_a_unit(#[case] text: &str, #[case] good: bool) {
        assert_eq!(size(text).is_ok(), good);
    }

    #[test]
    fn what_people_write_for_a_size_is_understood() {
        let hint = |text: &str| size(text).unwrap_err().hint;
        assert_eq!(hint("10GB").as_deref(), Some("write `10Gi`"));
        assert_eq!(hint("10").as_deref(), Some("it would be 10 bytes: write a unit, such as 10Gi"));
    }

    #[rstest]
    #[case("My_App", Some("my-app"))]
    #[case("-x-", Some("x"))]
    #[case("9", None)]
    fn a_wrong_name_has_a_near_one(#[case] text: &str, #[case] near: Option<&str>) {
        let hint = name(text).unwrap_err().hint;
        assert_eq!(hint, near.map(|near| format!("`{near}` would be one")));
    }

    #[rstest]
    #[case("/data", Some("/data"))]
    #[case("/var/lib/x/", Some("/var/lib/x"))]
    #[case("/", None)]
    #[case("", None)]
    #[case("data", None)]
    #[case("/a/../b", None)]
    #[case("/a//b", None)]
    #[case("/tmp/", None)]
    #[case("/a b", None)]
    #[case("/{{x}}", None)]
    fn mounts_are_plain_absolute_paths(#[case] text: &str, #[case] path: Option<&str>) {
        assert_eq!(mount(text).ok().as_deref(), path);
    }

    #[rstest]
    #[case("0", false)]
    #[case("1", true)]
    #[case("65535", true)]
    #[case("65536", false)]
    #[case("-1", false)]
    #[case("http", false)]
    fn ports_are_ports(#[case] text: &str, #[case] good: bool) {
        assert_eq!(port(text).is_ok(), good);
    }

    #[rstest]
    #[case("0", false)]
    #[case("999", true)]
    #[case("2147483647", true)]
    #[case("2147483648", false)]
    #[case("root", false)]
    fn users_are_not_root(#[case] text: &str, #[case] good: bool) {
        assert_eq!(user(text).is_ok(), good);
    }

    #[rstest]
    #[case("https://charts.example.org/gate@1.2.3", Some(("https://charts.example.org", "gate", "1.2.3")))]
    #[case("oci://ghcr.io/a/charts/gate@v1.2.3-rc.1", Some(("oci://ghcr.io/a/charts", "gate", "v1.2.3-rc.1")))]
    #[case("http://localhost:8080/gate@1.2.3", Some(("http://localhost:8080", "gate", "1.2.3")))]
    #[case("https://charts.example.org/gate", None)]
    #[case("https://charts.example.org/gate@latest", None)]
    #[case("https://charts.example.org/gate@1.2", None)]
    #[case("https://charts.example.org/@1.2.3", None)]
    #[case("https:///gate@1.2.3", None)]
    #[case("https://pi:secret@charts.example.org/gate@1.2.3", None)]
    #[case("gate@1.2.3", None)]
    #[case("https://charts.example.org/common@1.2.3", None)]
    #[case("../gate@1.2.3", None)]
    fn charts_have_a_place_and_a_version(#[case] text: &str, #[case] parts: Option<(&str, &str, &str)>) {
        let chart = chart(text).ok();
        let found = chart.as_ref().map(|it| (it.repository.as_str(), it.chart.as_str(), it.version.as_str()));
        assert_eq!(found, parts);
    }

    #[test]
    fn a_value_given_as_a_variables_name_is_not_repeated() {
        let mistake = secret("TOKEN=hunter2").unwrap_err();
        assert!(!format!("{mistake:?}").contains("hunter2"), "{mistake:?}");
        assert_eq!(secret("API_TOKEN").unwrap().key, "api_token");
    }

    proptest! {
        #[test]
        fn nothing_makes_them_panic(text in "\\PC{0,40}") {
            let _ = (name(&text), image(&text), port(&text), size(&text), mount(&text), health(&text));
            let _ = (user(&text), summary(&text), category(&text), secret(&text), namespace(&text), chart(&text));
        }
    }
}
