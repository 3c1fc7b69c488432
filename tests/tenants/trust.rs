//! A tenant that wants signatures: what nobody vouches for is not loaded, and what was live goes on.

use std::fs;

use artifacts::{Envelope, SigningKey, Subject, signature_file};
use switchboard::Manifest;

use super::town::{Town, expect_refusal};

/// A component which does nothing but have a name and a version.
fn component(version: &str) -> Vec<u8> {
    let manifest = format!("name = \"loyalty\"\nversion = \"{version}\"\n");
    Manifest::embed(&manifest, b"\0asm\x0d\0\x01\0", "loyalty.wasm".as_ref()).unwrap()
}

fn sign(town: &Town, version: &str, key: &SigningKey) {
    let bytes = component(version);
    let subject = Subject::new("loyalty", version, &bytes).unwrap();
    let line = Envelope::sign(&subject, key, None).to_line().unwrap();
    let file = town.folder.join("acme/loyalty.wasm");
    fs::write(signature_file(&file), line).unwrap();
    fs::write(file, bytes).unwrap();
}

#[tokio::test]
async fn a_plugin_that_nobody_vouches_for_is_not_loaded() {
    let town = Town::open().await;
    let (acme, stranger) = (
        SigningKey::generate().unwrap(),
        SigningKey::generate().unwrap(),
    );
    let public = acme.public().to_pem().unwrap();
    fs::write(town.folder.join("acme/vendor.pub"), public).unwrap();
    let tenant = town.text("acme", "tenant.toml");
    let trusting = format!(
        "{tenant}\n[trust]\nrequired = true\nkeys = [{{ name = \"the vendor\", file = \"vendor.pub\" }}]\n"
    );
    let put = async |file: &str, text: &str| {
        let path = format!("/api/tenants/acme/files/{file}");
        town.operator("PUT", &path, text).await
    };
    // What comes with the program needs nobody's word.
    assert!(put("tenant.toml", &trusting).await.status < 300);
    let plugins = town.text("acme", "plugins.toml");
    let with_loyalty = format!("{plugins}\n[loyalty]\nfile = \"loyalty.wasm\"\n");

    fs::write(town.folder.join("acme/loyalty.wasm"), component("1.0.0")).unwrap();
    let unsigned = put("plugins.toml", &with_loyalty).await;
    for words in ["loyalty 1.0.0", "is not signed", "the vendor (ed25519"] {
        expect_refusal(&unsigned, 422, words);
    }
    sign(&town, "1.0.0", &stranger);
    expect_refusal(
        &put("plugins.toml", &with_loyalty).await,
        422,
        "is not among them",
    );
    sign(&town, "1.0.0", &acme);
    fs::write(town.folder.join("acme/loyalty.wasm"), component("1.0.1")).unwrap();
    expect_refusal(
        &put("plugins.toml", &with_loyalty).await,
        422,
        "another artifact",
    );
    // Signed, it is looked at for what it is: a component without tools.
    sign(&town, "1.0.1", &acme);
    let signed = put("plugins.toml", &with_loyalty).await;
    expect_refusal(&signed, 422, "exports no tools");
    assert!(!signed.body.to_string().contains("trusted"), "{signed:?}");

    assert_eq!(town.text("acme", "plugins.toml"), plugins);
    assert_eq!(town.standing("acme").await["state"], "serving");
    town.acme().know_sarah("c").await;
}
