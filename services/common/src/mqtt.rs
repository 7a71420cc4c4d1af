//! How to reach the MQTT broker: settings that every service reads alike. The client is the service's own.

use crate::config::{Environment, Invalid};
use crate::device::TopicPrefix;
use diagnostic::Secret;
use std::path::PathBuf;

/// How to reach the broker.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `MQTT_HOST`
    pub host: String,
    /// `MQTT_PORT`
    pub port: u16,
    /// `MQTT_USERNAME` and `MQTT_PASSWORD(_FILE)`
    pub login: Option<(String, Secret<String>)>,
    /// Set when the connection is encrypted.
    pub tls: Option<Tls>,
    /// `MQTT_TOPIC_PREFIX`
    pub prefix: TopicPrefix,
}

/// How the connection is encrypted.
#[derive(Debug, Clone)]
pub struct Tls {
    /// `MQTT_TLS_CA`: certificates (PEM) that are trusted instead of the system's.
    pub authority: Option<PathBuf>,
    /// `MQTT_TLS_CERT` and `MQTT_TLS_KEY`: our own certificate and its key (PEM).
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    /// A file that is missing is a mistake of the configuration, not a broker that is away.
    fn readable(&self, environment: &mut Environment) -> Result<(), Invalid> {
        let (certificate, key) = self.identity.as_ref().map(|(certificate, key)| (certificate, key)).unzip();
        let files = [("MQTT_TLS_CA", self.authority.as_ref()), ("MQTT_TLS_CERT", certificate), ("MQTT_TLS_KEY", key)];
        for (variable, file) in files {
            if let Some(Err(error)) = file.map(std::fs::File::open) {
                return Err(environment.mistake(variable, format!("names a file that cannot be read: {error}"), None));
            }
        }
        Ok(())
    }
}

impl Settings {
    /// Reads the variables.
    ///
    /// # Errors
    /// Noted in `environment`.
    pub fn read(environment: &mut Environment) -> Result<Self, Invalid> {
        environment.section("MQTT broker");
        let host = environment.variable("MQTT_HOST", "host of the broker").required();
        let encrypted = environment.variable("MQTT_TLS", "whether the connection is encrypted").default::<bool>(false);
        let standard_port = if encrypted == Ok(true) { 8883 } else { 1883 };
        let port = environment.variable("MQTT_PORT", "port of the broker").within(1, 65_535).default(standard_port);
        let username = environment.variable("MQTT_USERNAME", "our account at the broker").optional::<String>();
        let password = environment.variable("MQTT_PASSWORD", "password of our account").optional_secret();
        let authority = environment.variable("MQTT_TLS_CA", "certificates to trust, PEM").optional();
        let certificate = environment.variable("MQTT_TLS_CERT", "our certificate, PEM").optional::<PathBuf>();
        let key = environment.variable("MQTT_TLS_KEY", "file of our certificate's key, PEM").optional::<PathBuf>();
        let prefix =
            environment.variable("MQTT_TOPIC_PREFIX", "what all topics begin with").default(TopicPrefix::DEFAULT);
        let login = match (username?, password?) {
            (Some(username), Some(password)) => Some((username, password)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(environment.mistake("MQTT_PASSWORD", "is not set, but `MQTT_USERNAME` is", None));
            }
            (None, Some(_)) => {
                return Err(environment.mistake("MQTT_USERNAME", "is not set, but `MQTT_PASSWORD` is", None));
            }
        };
        let identity = match (certificate?, key?) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => {
                return Err(environment.mistake(
                    "MQTT_TLS_CERT",
                    "and `MQTT_TLS_KEY` go together: set both or none",
                    None,
                ));
            }
        };
        let tls = Tls { authority: authority?, identity };
        if encrypted == Ok(true) {
            tls.readable(environment)?;
        }
        Ok(Self { host: host?, port: port?, login, tls: encrypted?.then_some(tls), prefix: prefix? })
    }
}

/// What to say of an error of the MQTT library, given its text: its own words for a certificate that is not trusted are rustls'
/// names of types.
pub fn explained(error: &str) -> String {
    let meant = if error.contains("UnknownIssuer") {
        "the broker's certificate is of no authority that is trusted: check `MQTT_TLS_CA`"
    } else if error.contains("NotValidForName") {
        "the broker's certificate is for another name than `MQTT_HOST`"
    } else if error.contains("certificate: Expired") {
        "the broker's certificate has expired, or this machine's clock is wrong"
    } else if error.contains("No valid CA certificate") {
        "the file of `MQTT_TLS_CA` holds no certificate"
    } else if error.contains("InvalidContentType") {
        "the broker does not speak TLS on this port: check `MQTT_PORT` and `MQTT_TLS`"
    } else {
        return error.to_owned();
    };
    format!("{meant} ({error})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(more: &[(&'static str, &'static str)]) -> String {
        let all = [("MQTT_HOST", "broker"), ("MQTT_TLS", "true")].into_iter().chain(more.iter().copied());
        let mut environment = Environment::of(all);
        let read = Settings::read(&mut environment);
        let words: Vec<String> = environment.mistakes().iter().map(ToString::to_string).collect();
        assert_eq!(read.is_err(), !words.is_empty());
        words.join("\n")
    }

    #[test]
    fn a_certificate_that_is_not_there_is_a_mistake() {
        assert_eq!(mistakes(&[]), "");
        let told = mistakes(&[("MQTT_TLS_CA", "/nowhere/ca.pem")]);
        assert!(told.contains("`MQTT_TLS_CA` names a file that cannot be read: No such file"), "{told}");
        let told = mistakes(&[("MQTT_TLS_CERT", "/nowhere/it.pem")]);
        assert!(told.contains("go together"), "{told}");
    }

    #[test]
    fn what_the_library_says_is_explained_where_it_is_about_us() {
        let told = explained("TLS: I/O: invalid peer certificate: UnknownIssuer");
        assert!(
            told.starts_with("the broker's certificate is of no authority that is trusted: check `MQTT_TLS_CA` (TLS: "),
            "{told}"
        );
        assert_eq!(explained("I/O: Connection refused"), "I/O: Connection refused");
    }
}
