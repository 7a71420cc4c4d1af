//! The sandbox's own certificate authority, and what it signs.
//!
//! Everything listens on 127.0.0.1, where any user of the machine can connect: what protects the cluster is that each
//! listener asks for a certificate of this authority, whose keys only the owner can read.

use crate::directory::{self, Directory};
use crate::{Component, Error};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

/// First address of the Service range: the `kubernetes` Service, also of K3s (10.43.0.0/16).
const KUBERNETES_SERVICE: &str = "10.43.0.1";

/// Names under which the servers are reached, from here and (as charts have them) from pods.
const SERVER_NAMES: [&str; 7] = [
    "localhost",
    "127.0.0.1",
    KUBERNETES_SERVICE,
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
];

/// The group that the API server lets do everything.
const ADMINISTRATORS: &str = "system:masters";

/// Certificates live longer than any sandbox.
const VALID_YEARS: i32 = 10;

/// A certificate to make: file name, common name, organisation.
struct Leaf {
    file: &'static str,
    common_name: &'static str,
    organisation: Option<&'static str>,
}

const LEAVES: [Leaf; 8] = [
    Leaf { file: "etcd", common_name: "etcd", organisation: None },
    Leaf { file: "etcd-client", common_name: "kube-apiserver-etcd-client", organisation: None },
    Leaf { file: "kube-apiserver", common_name: "kube-apiserver", organisation: None },
    Leaf {
        file: "kube-controller-manager",
        common_name: "system:kube-controller-manager",
        organisation: Some(ADMINISTRATORS),
    },
    Leaf { file: "kube-scheduler", common_name: "system:kube-scheduler", organisation: Some(ADMINISTRATORS) },
    Leaf { file: "kwok", common_name: "sandbox:kwok", organisation: Some(ADMINISTRATORS) },
    Leaf { file: "controller", common_name: "sandbox:controller", organisation: Some(ADMINISTRATORS) },
    Leaf { file: "admin", common_name: "admin", organisation: Some(ADMINISTRATORS) },
];

/// The last file written: when it is there, so are all others.
const COMPLETE: &str = "service-account.pub";

/// Makes the authority and all certificates, unless they are there.
pub(crate) fn ensure(directory: &Directory) -> Result<(), Error> {
    if directory.certificate(COMPLETE).exists() {
        return Ok(());
    }
    let failed = |source| Error::Certificate { source };
    let put = |file: &str, text: &str| directory::write(&directory.certificate(file), text).map(drop);

    let key = KeyPair::generate().map_err(failed)?;
    put("ca.key", &key.serialize_pem())?;
    let authority = authority().map_err(failed)?;
    put("ca.crt", &authority.self_signed(&key).map_err(failed)?.pem())?;
    let issuer = Issuer::new(authority, key);

    for leaf in &LEAVES {
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = leaf.parameters().and_then(|it| it.signed_by(&key, &issuer)).map_err(failed)?;
        put(&format!("{}.key", leaf.file), &key.serialize_pem())?;
        put(&format!("{}.crt", leaf.file), &certificate.pem())?;
    }

    let tokens = KeyPair::generate().map_err(failed)?;
    put("service-account.key", &tokens.serialize_pem())?;
    put(COMPLETE, &tokens.public_key_pem())
}

fn authority() -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = base("cluster-sandbox-ca")?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages =
        vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(parameters)
}

impl Leaf {
    /// Server and client at once: controller-manager and scheduler are both.
    fn parameters(&self) -> Result<CertificateParams, rcgen::Error> {
        let mut parameters = base(self.common_name)?;
        parameters.subject_alt_names =
            CertificateParams::new(SERVER_NAMES.map(str::to_owned).to_vec())?.subject_alt_names;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        parameters.use_authority_key_identifier_extension = true;
        if let Some(organisation) = self.organisation {
            parameters.distinguished_name.push(DnType::OrganizationName, organisation);
        }
        Ok(parameters)
    }
}

fn base(common_name: &str) -> Result<CertificateParams, rcgen::Error> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    let year = i32::from(jiff::Zoned::now().year());
    parameters.not_before = rcgen::date_time_ymd(year - 1, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(year + VALID_YEARS, 1, 1);
    Ok(parameters)
}

/// A kubeconfig for the API server or another listener of the sandbox, complete in itself so that it can be copied.
pub(crate) fn kubeconfig(directory: &Directory, port: u16, identity: &str) -> Result<String, Error> {
    let encoded = |file: &str| {
        let path = directory.certificate(file);
        let bytes = std::fs::read(&path).map_err(Error::file("read", path))?;
        Ok::<_, Error>(data_encoding::BASE64.encode(&bytes))
    };
    let (authority, certificate, key) =
        (encoded("ca.crt")?, encoded(&format!("{identity}.crt"))?, encoded(&format!("{identity}.key"))?);
    Ok(format!(
        "apiVersion: v1
kind: Config
clusters:
  - name: sandbox
    cluster:
      server: https://127.0.0.1:{port}
      certificate-authority-data: {authority}
users:
  - name: {identity}
    user:
      client-certificate-data: {certificate}
      client-key-data: {key}
contexts:
  - name: sandbox
    context:
      cluster: sandbox
      user: {identity}
current-context: sandbox
"
    ))
}

/// Writes the kubeconfig for people, and that of each component that is a client of the API server.
pub(crate) fn write_kubeconfigs(directory: &Directory, port: u16) -> Result<(), Error> {
    directory::write(&directory.kubeconfig(), &kubeconfig(directory, port, "admin")?)?;
    for component in
        [Component::KubeControllerManager, Component::KubeScheduler, Component::Kwok, Component::Controller]
    {
        let text = kubeconfig(directory, port, component.name())?;
        directory::write(&directory.component_kubeconfig(component), &text)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_made_once_and_a_kubeconfig_holds_them() {
        let folder = tempfile::tempdir().unwrap();
        let directory = Directory::of_project(folder.path().try_into().unwrap());
        directory.create().unwrap();
        ensure(&directory).unwrap();
        let first = std::fs::read_to_string(directory.certificate("ca.crt")).unwrap();
        ensure(&directory).unwrap();
        assert_eq!(std::fs::read_to_string(directory.certificate("ca.crt")).unwrap(), first);

        let text = kubeconfig(&directory, 16000, "admin").unwrap();
        let read = kube::config::Kubeconfig::from_yaml(&text).unwrap();
        assert_eq!(read.clusters[0].cluster.as_ref().unwrap().server.as_deref(), Some("https://127.0.0.1:16000"));
        assert_eq!(read.current_context.as_deref(), Some("sandbox"));
    }
}
