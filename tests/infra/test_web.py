"""The page: served from the private bucket, isolated, and allowed to talk to its own parts only."""

from typing import Any

from tests.infra.stack import whole


def distribution() -> dict[str, Any]:
    config: dict[str, Any] = whole()["Distribution"]["DistributionConfig"]
    return config


def headers() -> dict[str, Any]:
    config: dict[str, Any] = whole()["ResponseHeaders"]["ResponseHeadersPolicyConfig"]
    return config


def directives() -> dict[str, list[str]]:
    policy = headers()["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    return {d.split()[0]: d.split()[1:] for d in policy.split(";")}


def test_files_come_from_the_buckets_public_folder_with_signed_requests() -> None:
    (origin,) = distribution()["Origins"]
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
    pages = {
        error["ErrorCode"]: (error["ResponseCode"], error["ResponsePagePath"])
        for error in distribution()["CustomErrorResponses"]
    }
    assert pages == {403: (200, "/index.html"), 404: (200, "/index.html")}


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
        "https://*.execute-api.eu-west-1.amazonaws.com",
        "https://cognito-idp.eu-west-1.amazonaws.com",
        "https://cognito-identity.eu-west-1.amazonaws.com",
    ]
    assert directives()["img-src"] == ["'self'", "data:", "blob:", files]
