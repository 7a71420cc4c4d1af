//! The variables that a service reads, where they come from, and what was wrong with them.

use super::{Mistake, Variable, print};
use std::collections::BTreeMap;

/// A service's configuration. Read every variable first, then build the value with `?`: so all mistakes are found at once.
pub trait Configuration: Sized {
    /// Reads the variables.
    ///
    /// # Errors
    /// [`Invalid`], when a variable was wrong; what about it is noted in `environment`.
    fn read(environment: &mut Environment) -> Result<Self, Invalid>;
}

/// Something was wrong with a variable; [`Environment::mistakes`] tells what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the configuration is wrong")]
pub struct Invalid;

/// What is known of a variable after it was read: the material of `--print-config`.
#[derive(Debug, Clone)]
pub(super) struct Documented {
    pub(super) section: &'static str,
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) kind: &'static str,
    pub(super) default: Option<String>,
    pub(super) secret: bool,
    pub(super) required: bool,
    /// What it is set to; never of a secret.
    pub(super) value: Option<String>,
}

/// The process's variables, or those of a test.
#[derive(Debug, Default)]
pub struct Environment {
    pub(super) variables: BTreeMap<String, String>,
    pub(super) documented: Vec<Documented>,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) section: &'static str,
}

impl Environment {
    /// The variables of this process. Those that are not UTF-8 are read with replacement characters, and so fail where it matters.
    pub fn of_process() -> Self {
        Self::of(
            std::env::vars_os()
                .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())),
        )
    }

    /// Given variables.
    pub fn of<N: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables, ..Self::default() }
    }

    /// The variables read from now on stand under this heading in `--print-config`.
    pub fn section(&mut self, title: &'static str) -> &mut Self {
        self.section = title;
        self
    }

    /// A variable to read, with a line about it.
    pub fn variable(&mut self, name: &'static str, about: &'static str) -> Variable<'_> {
        Variable::new(self, name, about)
    }

    /// Notes a mistake that shows only when several variables are seen together.
    pub fn mistake(&mut self, variable: &str, text: impl Into<String>, hint: Option<&str>) -> Invalid {
        let hint = hint.map(str::to_owned);
        self.mistakes.push(Mistake { variable: variable.to_owned(), text: text.into(), hint });
        Invalid
    }

    /// All that was wrong so far, in the order in which it was read.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// Reads a whole configuration.
    ///
    /// # Errors
    /// Every mistake, also those that `read` noted without failing.
    pub fn read<C: Configuration>(&mut self) -> Result<C, Vec<Mistake>> {
        match C::read(self) {
            Ok(configuration) if self.mistakes.is_empty() => Ok(configuration),
            _ => Err(self.mistakes.clone()),
        }
    }

    /// Everything that was read, commented, as a file that a shell or systemd's `EnvironmentFile=` takes.
    pub fn print(&self) -> String {
        print::commented(&self.documented)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;
    use std::io::Write;

    #[derive(Debug)]
    struct Config {
        host: String,
        port: u16,
        password: Secret<String>,
    }

    impl Configuration for Config {
        fn read(environment: &mut Environment) -> Result<Self, Invalid> {
            environment.section("PostgreSQL");
            let host = environment.variable("POSTGRES_HOST", "where it is").required();
            let port = environment.variable("POSTGRES_PORT", "its port").within(1, 65_535).default(5432);
            let password = environment.variable("POSTGRES_PASSWORD", "its password").secret();
            Ok(Self { host: host?, port: port?, password: password? })
        }
    }

    #[test]
    fn all_mistakes_come_at_once() {
        let mut environment = Environment::of([("POSTGRES_HSOT", "db"), ("POSTGRES_PORT", "70000")]);
        let mistakes = environment.read::<Config>().expect_err("three mistakes");
        let text = mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert_eq!(
            text,
            "error: `POSTGRES_HOST` is not set\n  = hint: did you mean it by `POSTGRES_HSOT`, which is set?\n\
             error: `POSTGRES_PORT` is `70000`, not a number: number too large to fit in target type\n\
             error: `POSTGRES_PASSWORD` is not set\n  = hint: set it, or `POSTGRES_PASSWORD_FILE` to a file that holds it"
        );
    }

    #[test]
    fn a_variable_of_its_own_is_no_slip() {
        let mut environment = Environment::of([("POSTGRES_PORT", "5433"), ("POSTGRES_PASSWORD", "a")]);
        let mistakes = environment.read::<Config>().expect_err("no host");
        assert_eq!(mistakes.iter().map(|mistake| mistake.hint.as_deref()).collect::<Vec<_>>(), [None]);
    }

    #[test]
    fn a_secret_comes_from_a_file_without_its_line_end() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"correct horse\n").unwrap();
        let path = file.path().to_str().unwrap();
        let mut environment = Environment::of([("POSTGRES_HOST", "db"), ("POSTGRES_PASSWORD_FILE", path)]);
        let config = environment.read::<Config>().unwrap();
        assert_eq!(config.password.reveal(), "correct horse");
        assert_eq!((config.host.as_str(), config.port), ("db", 5432));
        assert!(!format!("{config:?}{environment:?}").contains("horse"));
    }

    #[test]
    fn a_secret_given_twice_is_a_mistake() {
        let mut environment = Environment::of([
            ("POSTGRES_HOST", "db"),
            ("POSTGRES_PASSWORD", "a"),
            ("POSTGRES_PASSWORD_FILE", "/run/secrets/none"),
        ]);
        assert_eq!(environment.read::<Config>().expect_err("set twice").len(), 1);
    }

    #[test]
    fn a_service_link_of_kubernetes_is_explained() {
        let mut environment = Environment::of([
            ("POSTGRES_HOST", "db"),
            ("POSTGRES_PORT", "tcp://10.43.0.7:5432"),
            ("POSTGRES_PASSWORD", "a"),
        ]);
        let mistakes = environment.read::<Config>().expect_err("not a port");
        assert!(mistakes[0].hint.as_deref().unwrap_or_default().contains("enableServiceLinks: false"), "{mistakes:?}");
    }

    #[test]
    fn the_printed_configuration_is_read_again() {
        let mut environment = Environment::of([("POSTGRES_HOST", "d'b"), ("POSTGRES_PASSWORD", "correct horse")]);
        environment.read::<Config>().unwrap();
        assert_eq!(
            environment.print(),
            "# PostgreSQL\n\n# Where it is (text, required).\nPOSTGRES_HOST='d'\\''b'\n\n\
             # Its port (number, default 5432).\n# POSTGRES_PORT=5432\n\n\
             # Its password (secret, required). POSTGRES_PASSWORD_FILE names a file that holds it.\nPOSTGRES_PASSWORD=********\n"
        );
    }
}
