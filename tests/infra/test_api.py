"""Who may sign in, and what the HTTP API lets in."""

import json
import re
from typing import Any

import pytest

from tests.infra.stack import ROOT, Stack, whole


def body() -> dict[str, Any]:
    document: dict[str, Any] = whole()["HttpApi"]["Body"]
    return document


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in body()["paths"].items()
        for method, operation in methods.items()
    }


def test_routes_are_those_that_the_code_serves() -> None:
    code = (ROOT / "functions" / "api" / "api.py").read_text()
    served = {
        (method.upper(), path.replace("<job_id>", "{jobId}"))
        for method, path in re.findall(r'@app\.(get|post|put|patch|delete)\("([^"]+)"', code)
    }
    assert len(served) == 8
    assert set(operations()) == served


def test_every_route_asks_for_a_token_of_the_user_pool() -> None:
    assert {json.dumps(operation["security"]) for operation in operations().values()} == {
        '[{"Cognito": []}]'
    }
    scheme = body()["components"]["securitySchemes"]["Cognito"]["x-amazon-apigateway-authorizer"]
    assert scheme == {
        "type": "jwt",
        "identitySource": "$request.header.Authorization",
        "jwtConfiguration": {
            "issuer": "https://cognito-idp.eu-west-1.amazonaws.com/{UserPool}",
            "audience": ["{UserPoolClient}"],
        },
    }


def test_every_route_leads_to_the_api_function() -> None:
    for operation in operations().values():
        assert "{ApiFunction.Arn}" in operation["x-amazon-apigateway-integration"]["uri"]


@pytest.mark.parametrize(
    ("origins", "extra"),
    [
        ("", []),
        ("https://a.example,http://localhost:1", ["https://a.example", "http://localhost:1"]),
    ],
)
def test_browsers_may_call_from_exact_origins(origins: str, extra: list[str]) -> None:
    cors = Stack(WebOrigins=origins)["HttpApi"]["Body"]["x-amazon-apigateway-cors"]
    assert cors == {
        "allowOrigins": ["https://{Distribution.DomainName}", *extra],
        "allowMethods": ["GET", "POST", "PATCH", "DELETE"],
        "allowHeaders": ["authorization", "content-type"],
        "maxAge": 3600,
    }


def test_calls_are_throttled_and_logged() -> None:
    (stage,) = whole().of_type("AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] > 0
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"] > 0
    assert stage["AccessLogSettings"]["DestinationArn"] == "{ApiAccessLogs.Arn}"
    line = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"requestId", "route", "status", "caller"} <= set(line)


def test_no_token_reaches_the_access_log() -> None:
    (stage,) = whole().of_type("AWS::ApiGatewayV2::Stage").values()
    assert "header" not in stage["AccessLogSettings"]["Format"].lower()


def test_the_function_answers_before_the_api_gives_up() -> None:
    assert whole()["ApiFunction"]["Timeout"] < 30


def test_people_sign_in_with_a_verified_address() -> None:
    pool = whole()["UserPool"]
    assert pool["UsernameAttributes"] == ["email"]
    assert pool["AutoVerifiedAttributes"] == ["email"]
    assert pool["UsernameConfiguration"] == {"CaseSensitive": False}
    assert pool["Policies"]["PasswordPolicy"]["MinimumLength"] >= 12
    assert pool["MfaConfiguration"] == "OPTIONAL"
    assert pool["EnabledMfas"] == ["SOFTWARE_TOKEN_MFA"]


@pytest.mark.parametrize(("allowed", "admin_only"), [("true", False), ("false", True)])
def test_whether_anybody_may_sign_up_is_a_parameter(allowed: str, admin_only: bool) -> None:
    stack = Stack(AllowSelfSignUp=allowed)
    assert stack["UserPool"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": admin_only}
    assert stack.outputs["AllowSelfSignUp"] == allowed


def test_the_browser_client_keeps_no_secret_and_tells_no_names() -> None:
    client = whole()["UserPoolClient"]
    assert client["GenerateSecret"] is False
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert client["EnableTokenRevocation"] is True
    assert client["ExplicitAuthFlows"] == [
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    ]
    assert client["TokenValidityUnits"]["IdToken"] == "hours"
    assert client["IdTokenValidity"] == 1
