"""The page: served from the private bucket, isolated, and allowed to talk to its own parts only."""

import re
import subprocess
from typing import Any

import pytest

from tests.infra.template import Stack, source, whole


def distribution() -> dict[str, Any]:
    config: dict[str, Any] = whole()["Distribution"]["DistributionConfig"]
    return config


def elsewhere(origins: str = "http://localhost:5173", **given: str) -> Stack:
    """A stack whose page somebody else serves."""
    return Stack(WebHosting="none", WebOrigins=origins, **given)


def headers(of: str = "ResponseHeaders") -> dict[str, Any]:
    config: dict[str, Any] = whole()[of]["ResponseHeadersPolicyConfig"]
    return config


def directives(of: str = "ResponseHeaders") -> dict[str, list[str]]:
    policy = headers(of)["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    return {d.split()[0]: d.split()[1:] for d in policy.split(";")}


def test_files_come_from_the_buckets_public_folder_with_signed_requests() -> None:
    origin, _ = distribution()["Origins"]
    assert distribution()["DefaultCacheBehavior"]["TargetOriginId"] == origin["Id"]
    assert origin["DomainName"] == f"{whole()['Bucket']['BucketName']}.s3.eu-west-1.amazonaws.com"
    assert origin["OriginPath"] == "/public"
    assert origin["OriginAccessControlId"] == "{OriginAccessControl.Id}"
    control = whole()["OriginAccessControl"]["OriginAccessControlConfig"]
    assert control["SigningBehavior"] == "always"
    assert control["SigningProtocol"] == "sigv4"


def test_visitors_are_led_to_tls_and_get_compressed_files() -> None:
    behaviour = distribution()["DefaultCacheBehavior"]
    assert behaviour["ViewerProtocolPolicy"] == "redirect-to-https"
    assert behaviour["Compress"] is True
    assert behaviour["ResponseHeadersPolicyId"] == "{ResponseHeaders}"
    assert not {"PUT", "POST", "DELETE"} & set(behaviour["AllowedMethods"])


def test_a_path_of_the_app_is_its_page() -> None:
    (association,) = distribution()["DefaultCacheBehavior"]["FunctionAssociations"]
    assert association == {
        "EventType": "viewer-request",
        "FunctionARN": "{AppPath.FunctionMetadata.FunctionARN}",
    }
    code = whole()["AppPath"]["FunctionCode"]
    app = dict.fromkeys(
        ("/", "/gallery", "/jobs/01M82SZE4Z7ZQ9FY1VB33KS0D2", "/keys"), "/index.html"
    )
    files = {p: p for p in ("/index.html", "/assets/Viewer-D1.js", "/favicon.svg", "/config.json")}
    for path, leads in (app | files).items():
        call = f"console.log(handler({{request: {{uri: '{path}'}}}}).uri)"
        done = subprocess.run(["node", "-e", f"{code}\n{call}"], capture_output=True, check=True)
        assert done.stdout.decode().strip() == leads


def test_no_answer_of_the_api_becomes_a_page() -> None:
    """An error's page would be that of all origins."""
    assert "CustomErrorResponses" not in distribution()


def test_the_api_is_reached_below_the_pages_own_address() -> None:
    behaviour, _ = distribution()["CacheBehaviors"]
    (origin,) = [o for o in distribution()["Origins"] if o["Id"] == behaviour["TargetOriginId"]]
    assert origin["DomainName"] == "{HttpApi}.execute-api.eu-west-1.amazonaws.com"
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert behaviour["PathPattern"] == "/api/*"
    assert behaviour["ViewerProtocolPolicy"] == "https-only", "a token goes with it"
    assert {"GET", "POST", "PATCH", "DELETE"} <= set(behaviour["AllowedMethods"])
    # By AWS's own ids: nothing is cached, and everything but the host is passed on.
    assert behaviour["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert behaviour["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"


def test_the_path_of_a_request_loses_what_the_api_does_not_know() -> None:
    behaviour, _ = distribution()["CacheBehaviors"]
    (association,) = behaviour["FunctionAssociations"]
    assert association == {
        "EventType": "viewer-request",
        "FunctionARN": "{ApiPath.FunctionMetadata.FunctionARN}",
    }
    code = whole()["ApiPath"]["FunctionCode"]
    for path in ("/jobs", "/jobs/01M82SZE4Z7ZQ9FY1VB33KS0D2/initialize"):
        call = f"console.log(handler({{request: {{uri: '/api{path}'}}}}).uri)"
        done = subprocess.run(["node", "-e", f"{code}\n{call}"], capture_output=True, check=True)
        assert done.stdout.decode().strip() == path


def test_embeds_alone_may_be_framed() -> None:
    _, behaviour = distribution()["CacheBehaviors"]
    assert behaviour["PathPattern"] == "/embed/*"
    assert behaviour["ResponseHeadersPolicyId"] == "{EmbedHeaders}"
    framed = [
        each["PathPattern"]
        for each in distribution()["CacheBehaviors"]
        if each["ResponseHeadersPolicyId"] != "{ResponseHeaders}"
    ]
    assert framed == ["/embed/*"]
    assert directives("EmbedHeaders")["frame-ancestors"] == ["*"]
    assert "FrameOptions" not in headers("EmbedHeaders")["SecurityHeadersConfig"]
    custom = {
        i["Header"]: i["Value"] for i in headers("EmbedHeaders")["CustomHeadersConfig"]["Items"]
    }
    assert custom["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert custom["Cross-Origin-Embedder-Policy"] == "require-corp"


def test_the_page_of_embeds_may_do_no_more_than_the_page() -> None:
    page, embed = directives(), directives("EmbedHeaders")
    assert set(embed) == set(page)
    for name in set(page) - {"frame-ancestors", "form-action"}:
        assert set(embed[name]) <= set(page[name]), name
    assert embed["form-action"] == ["'none'"]
    assert not any("cognito" in source for source in embed["connect-src"]), "nobody signs in there"


@pytest.mark.parametrize("path", ["/embed/abc", "/embed/", "/embed/index.html", "/embed/../x.js"])
def test_nothing_but_the_page_of_embeds_is_served_with_its_headers(path: str) -> None:
    _, behaviour = distribution()["CacheBehaviors"]
    (association,) = behaviour["FunctionAssociations"]
    assert association["FunctionARN"] == "{EmbedPath.FunctionMetadata.FunctionARN}"
    call = f"console.log(handler({{request: {{uri: '{path}'}}}}).uri)"
    code = f"{whole()['EmbedPath']['FunctionCode']}\n{call}"
    done = subprocess.run(["node", "-e", code], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "/embed.html"


@pytest.mark.parametrize(
    ("arn", "named"), [("", None), (f"arn:aws:wafv2:us-east-1:{'1' * 12}:global/webacl/a/b",) * 2]
)
def test_a_web_acl_of_ones_own_goes_before_page_and_api(arn: str, named: str | None) -> None:
    assert Stack(WebAclArn=arn)["Distribution"]["DistributionConfig"].get("WebACLId") == named


class TestWithoutCloudFront:
    def test_nothing_of_it_is_made(self) -> None:
        stack = elsewhere()
        assert [n for n, r in stack.resources.items() if "CloudFront" in r["Type"]] == []
        assert "DistributionId" not in stack.outputs
        statements = stack["BucketPolicy"]["PolicyDocument"]["Statement"]
        assert [each["Sid"] for each in statements] == ["TlsOnly"]
        assert "{Distribution" not in str(stack.resources) + str(stack.outputs)

    def test_the_page_reaches_api_and_bucket_from_its_own_origin(self) -> None:
        stack = elsewhere("https://a.example,http://localhost:5173")
        origins = ["https://a.example", "http://localhost:5173"]
        assert stack.outputs["WebApiUrl"] == stack.outputs["ApiUrl"] == "{HttpApi.ApiEndpoint}"
        assert stack["HttpApi"]["CorsConfiguration"]["AllowOrigins"] == origins
        (rule,) = stack["Bucket"]["CorsConfiguration"]["CorsRules"]
        assert rule["AllowedOrigins"] == origins

    @pytest.mark.parametrize("url", ["", "https://b.example/gen3d"])
    def test_mails_link_to_the_first_origin_or_to_what_is_said(self, url: str) -> None:
        stack = elsewhere("https://a,https://c", WebUrl=url)
        link = url or "https://a"
        assert stack.outputs["WebUrl"] == link
        assert stack["NotifyFunction"]["Environment"]["Variables"]["WEB_URL"] == link

    @pytest.mark.parametrize(
        ("given", "refused"),
        [
            ({"WebHosting": "none"}, "PageHasOrigin"),
            ({"WebHosting": "none", "WebOrigins": "http://a", "WebAclArn": "arn"}, "PageHasOrigin"),
            ({"WebUrl": "https://a"}, "PageHasOneAddress"),
            ({"WebHosting": "none", "WebOrigins": "http://a", "WebUrl": "https://a/b"}, None),
            ({}, None),
        ],
    )
    def test_what_does_not_fit_is_refused_before_anything_is_made(
        self, given: dict[str, str], refused: str | None
    ) -> None:
        assert Stack(**given).refusing() == ([refused] if refused else [])

    @pytest.mark.parametrize(
        ("url", "fits"),
        [
            *((url, True) for url in ("", "https://a.example/gen3d", "http://localhost:5173")),
            *((url, False) for url in ("a.example", "https://a/", "https://a?x", "https://")),
        ],
    )
    def test_an_address_has_no_slash_at_its_end(self, url: str, fits: bool) -> None:
        pattern = source()["Parameters"]["WebUrl"]["AllowedPattern"]
        assert bool(re.search(pattern, url)) is fits


def test_the_page_is_isolated() -> None:
    custom = {i["Header"]: i["Value"] for i in headers()["CustomHeadersConfig"]["Items"]}
    assert custom["Cross-Origin-Opener-Policy"] == "same-origin"
    assert custom["Cross-Origin-Embedder-Policy"] == "require-corp"


def test_security_headers_are_set() -> None:
    security = headers()["SecurityHeadersConfig"]
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31536000
    assert security["ContentTypeOptions"] == {"Override": True}
    assert security["FrameOptions"]["FrameOption"] == "DENY"
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == "no-referrer"


def test_scripts_are_our_own_and_never_inline() -> None:
    assert directives()["script-src"] == ["'self'", "'wasm-unsafe-eval'"]
    assert directives()["worker-src"] == ["'self'", "blob:"]
    assert directives()["object-src"] == ["'none'"]
    assert directives()["base-uri"] == ["'none'"]
    assert directives()["frame-ancestors"] == ["'none'"]
    assert directives()["default-src"] == ["'self'"]


def test_the_page_talks_to_its_own_parts_only() -> None:
    files = f"https://{whole()['Bucket']['BucketName']}.s3.eu-west-1.amazonaws.com"
    assert directives()["connect-src"] == [
        "'self'",
        "data:",
        "blob:",
        files,
        "https://cognito-idp.eu-west-1.amazonaws.com",
    ]
    assert directives()["img-src"] == ["'self'", "data:", "blob:", files]
