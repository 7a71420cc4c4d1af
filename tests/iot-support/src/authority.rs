//! A certificate authority of one's own, and a server's certificate of it.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// An authority, and what it has signed for `127.0.0.1` and `localhost`.
#[derive(Debug)]
pub struct Authority {
    directory: TempDir,
}

impl Authority {
    /// Makes one.
    ///
    /// # Panics
    /// When there is no randomness or no room.
    pub fn new(name: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("test-authority-").tempdir().expect("a directory");
        let key = KeyPair::generate().expect("a key");
        let mut parameters = named(name, Vec::new());
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign];
        let authority = Self { directory };
        authority.write("ca.pem", &parameters.self_signed(&key).expect("a certificate").pem());
        let issuer = Issuer::new(parameters, key);
        let server = KeyPair::generate().expect("a key");
        let names = ["127.0.0.1", "localhost"].map(str::to_owned).to_vec();
        let certificate = named("server", names).signed_by(&server, &issuer).expect("a certificate");
        authority.write("server.pem", &certificate.pem());
        authority.write("server.key", &server.serialize_pem());
        authority
    }

    /// Its own certificate, by which clients know its servers.
    pub fn certificate(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Lines of `mosquitto.conf(5)` that encrypt the listener before them.
    pub fn mosquitto(&self) -> String {
        let (certificate, key) = (self.path("server.pem"), self.path("server.key"));
        format!("certfile {}\nkeyfile {}\n", certificate.display(), key.display())
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(Path::new(&self.path(file)), text).expect("a file");
    }
}

fn named(name: &str, addresses: Vec<String>) -> CertificateParams {
    let mut parameters = CertificateParams::new(addresses).expect("names");
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}
