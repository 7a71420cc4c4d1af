//! Wrong values are refused before anything is touched, with the field's name.

use crate::helm::{charts, default_value, name, refusal};

#[test]
fn wrong_values_are_refused_by_every_chart() {
    for chart in charts() {
        for (set, said) in [
            ("bogus=1", "'bogus'"),
            ("image.tga=1", "'tga'"),
            ("image.tag=latest", "'/image/tag'"),
            ("image.tag=", "'/image/tag'"),
            ("image.digest=sha256:1", "'/image/digest'"),
            ("image.pullPolicy=Sometimes", "'/image/pullPolicy'"),
            ("fullnameOverride=Database", "'/fullnameOverride'"),
            ("fullnameOverride=null-", "'/fullnameOverride'"),
            ("service.port=http", "'/service/port'"),
            ("service.port=70000", "'/service/port'"),
            ("persistence.size=4GB", "'/persistence/size'"),
            ("persistence.storageClass=No_Class", "'/persistence/storageClass'"),
            ("resources.requests=null", "'requests'"),
            ("podSecurityContext.runAsUser=0", "'/podSecurityContext/runAsUser'"),
            ("probes.liveness.periodSeconds=0", "'/probes/liveness/periodSeconds'"),
            ("networkPolicy.enabled=maybe", "'/networkPolicy/enabled'"),
        ] {
            // A chart without volumes has no `persistence` to set.
            let field = set.split('=').next().unwrap_or(set);
            let field = field.rsplit_once('.').map_or(field, |(parent, _)| parent);
            if set.contains('.') && default_value(&chart, field).is_none() {
                continue;
            }
            let refusal = refusal(&chart, set);
            assert!(refusal.contains(said), "{} with `{set}`: {refusal}", name(&chart));
        }
    }
}

#[test]
fn a_refusal_says_what_to_do() {
    let find = |wanted: &str| charts().into_iter().find(|chart| name(chart) == wanted).expect("the chart exists");
    let ollama = find("ollama");
    assert!(
        refusal(&ollama, "replicas=2").contains("replicas: more than one needs persistence.accessMode ReadWriteMany")
    );
    assert!(refusal(&ollama, "ingress.enabled=true").contains("'/ingress/host'"));
    let postgres = find("postgres");
    assert!(refusal(&postgres, "auth.password=changeme").contains("'password'"), "passwords are not values");
    assert!(refusal(&postgres, "image.tag=stable17").contains("'/image/tag'"), "the major version leads the tag");
}

/// What the API server would refuse when other objects are there already.
#[test]
fn what_kubernetes_would_refuse_is_refused_before() {
    let ollama = charts().into_iter().find(|chart| name(chart) == "ollama").expect("the chart exists");
    for (set, said) in [
        ("image.repository=ollama:1", "'/image/repository'"),
        ("imagePullSecrets={a_b}", "'/imagePullSecrets/0'"),
        ("priorityClassName=a..b", "'/priorityClassName'"),
        ("persistence.existingClaim=-.a", "'/persistence/existingClaim'"),
        ("persistence.size=0", "'/persistence/size'"),
        ("ingress.host=a-.b", "'/ingress/host'"),
        ("ingress.path=/a//b", "'/ingress/path'"),
        ("ingress.controllerNamespaces={a.b}", "'/ingress/controllerNamespaces/0'"),
        ("podLabels.app=other", "'/podLabels/app'"),
        ("podLabels.team=a b", "'/podLabels/team'"),
        ("podAnnotations.a/b/c=d", "'/podAnnotations'"),
        ("networkPolicy.from[0].podselector.matchLabels.a=b", "'podselector'"),
        ("networkPolicy.from[0].ipBlock.cidr=10.0.0.0", "'/networkPolicy/from/0/ipBlock/cidr'"),
        ("networkPolicy.from[0].ipBlock.cidr=::1::/64", "'/networkPolicy/from/0/ipBlock/cidr'"),
        ("networkPolicy.egress[0].ports[0].port=HTTP", "'/networkPolicy/egress/0/ports/0/port'"),
        (
            "resources.requests.memory=1Ti",
            "container `ollama` of ollama requests 1Ti of memory, which is above its limit",
        ),
        ("resources.limits.cpu=1m", "of cpu, which is above its limit of 1m"),
    ] {
        let refusal = refusal(&ollama, set);
        assert!(refusal.contains(said), "`{set}`: {refusal}");
    }
}
