//! What stands in every image beside the binary. The same bytes for all services, so that a node keeps this layer once.

use crate::archive::Archive;
use data_encoding::BASE64;

/// Who runs in the image: nobody's number on the node, the same as in the charts.
pub const USER: u32 = 65_532;

/// - A user for [`USER`], and names before addresses in `nsswitch.conf`, as C's resolver has no other default to rely on.
/// - Mozilla's certificate authorities, from the crate `webpki-root-certs`: pinned with the other dependencies, while a
///   certificate store of the machine that builds would make its images differ from others'. reqwest and the MQTT client look for
///   them at this path, and reqwest's client is not even made without any. `SSL_CERT_FILE` names another file, `*_TLS_CA` one for
///   a single connection.
pub fn archive() -> Archive {
    let mut archive = Archive::default();
    archive.file("etc/passwd", 0o644, format!("root:x:0:0:root:/:/none\nnonroot:x:{USER}:{USER}:nonroot:/:/none\n"));
    archive.file("etc/group", 0o644, format!("root:x:0:\nnonroot:x:{USER}:\n"));
    archive.file("etc/nsswitch.conf", 0o644, "passwd: files\ngroup: files\nhosts: files dns\n");
    archive.file("etc/ssl/certs/ca-certificates.crt", 0o644, authorities());
    archive
}

/// PEM (RFC 7468), sorted, so that the crate's own order does not matter.
fn authorities() -> String {
    let mut certificates: Vec<&[u8]> =
        webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|certificate| certificate.as_ref()).collect();
    certificates.sort_unstable();
    let mut text = String::new();
    for certificate in certificates {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        let encoded = BASE64.encode(certificate);
        for (number, letter) in encoded.chars().enumerate() {
            if number > 0 && number % 64 == 0 {
                text.push('\n');
            }
            text.push(letter);
        }
        text.push_str("\n-----END CERTIFICATE-----\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_pem() {
        let text = authorities();
        let begun = text.matches("-----BEGIN CERTIFICATE-----\n").count();
        assert!(begun > 100, "{begun} authorities");
        assert_eq!(begun, text.matches("\n-----END CERTIFICATE-----\n").count());
        assert!(text.lines().all(|line| line.len() <= 64));
        let first = text.split("-----").nth(2).expect("a certificate").replace('\n', "");
        assert_eq!(BASE64.decode(first.as_bytes()).expect("base64")[0], 0x30, "DER begins with a sequence");
    }
}
