"""Who may sign in, and what the HTTP API lets in."""

import json
import re
from typing import Any

import pytest

from gen3d_api.routes import ROUTES
from tests.infra.template import Stack, source, whole

WATCHERS, POLL_SECONDS = 1000, 5
"""Of 10,000 people, those who watch a job at once, each asking so often (Architecture)."""


def routes() -> dict[str, dict[str, Any]]:
    """Route key → properties."""
    found = whole().of_type("AWS::ApiGatewayV2::Route").values()
    return {route["RouteKey"]: route for route in found}


def test_routes_are_those_that_the_code_serves() -> None:
    assert set(routes()) == {route.key for route in ROUTES}


def test_all_but_the_description_and_what_is_shared_ask_who_is_calling() -> None:
    asking = routes()
    for open_to_all in ("GET /openapi.json", "GET /shared/{shareId}", "GET /s/{shareId}"):
        assert asking.pop(open_to_all)["AuthorizationType"] == "NONE"
    for key, route in asking.items():
        asked = route.get("AuthorizationType"), route.get("AuthorizerId")
        assert asked == ("CUSTOM", "{CallerAuthorizer}"), key
        assert "AuthorizationScopes" not in route, "an ID token has none"
    authorizer = whole()["CallerAuthorizer"]
    assert "/functions/{AuthorizeFunction.Arn}/invocations" in authorizer["AuthorizerUri"]
    assert authorizer["AuthorizerType"] == "REQUEST"
    assert authorizer["AuthorizerPayloadFormatVersion"] == "2.0"
    assert authorizer["EnableSimpleResponses"] is True


def test_an_answer_of_the_authorizer_is_kept_for_one_credential_and_a_minute() -> None:
    """What is kept is found by the identity source alone: without, everybody's is the first's."""
    authorizer = whole()["CallerAuthorizer"]
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
    assert 0 < authorizer["AuthorizerResultTtlInSeconds"] <= 60, "a withdrawn key still opens"


def test_the_authorizer_knows_the_pool_that_people_sign_in_to() -> None:
    variables = whole()["AuthorizeFunction"]["Environment"]["Variables"]
    assert variables["USER_POOL_ID"] == "{UserPool}"
    assert variables["USER_POOL_CLIENT_ID"] == "{UserPoolClient}"


def test_every_route_leads_to_the_api_function() -> None:
    assert {route["Target"] for route in routes().values()} == {"integrations/{ApiIntegration}"}
    assert whole()["ApiIntegration"] == {
        "ApiId": "{HttpApi}",
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": "{ApiFunction.Arn}",
        "PayloadFormatVersion": "2.0",
    }


def test_nothing_is_imported_whose_warnings_could_refuse_a_deployment() -> None:
    assert {"Body", "BodyS3Location", "FailOnWarnings"}.isdisjoint(whole()["HttpApi"])
    kinds = {resource["Type"] for resource in source()["Resources"].values()}
    assert kinds.isdisjoint({"AWS::Serverless::HttpApi", "AWS::Serverless::Api"})


def test_browsers_may_call_from_exact_origins_that_somebody_named() -> None:
    origins = ["https://a.example", "http://localhost:1"]
    assert Stack(WebOrigins=",".join(origins))["HttpApi"]["CorsConfiguration"] == {
        "AllowOrigins": origins,
        "AllowMethods": ["GET", "POST", "PATCH", "DELETE"],
        "AllowHeaders": ["authorization", "content-type", "gen3d-version", "idempotency-key"],
        "ExposeHeaders": ["retry-after", "gen3d-version"],
        "MaxAge": 3600,
    }


def test_the_page_needs_no_permission_from_the_api_as_it_comes_from_the_same_origin() -> None:
    assert "CorsConfiguration" not in whole()["HttpApi"]
    assert whole().outputs["WebApiUrl"] == "https://{Distribution.DomainName}/api"
    # Bucket and function wait for the distribution, which waits for the API: else it were a circle.
    assert not {"Distribution", "Bucket", "ApiFunction"} & set(
        re.findall(r"\w+", json.dumps(whole()["HttpApi"]))
    )


def test_calls_are_throttled_and_logged() -> None:
    (stage,) = whole().of_type("AWS::ApiGatewayV2::Stage").values()
    rate = stage["DefaultRouteSettings"]["ThrottlingRateLimit"]
    assert rate >= 2 * WATCHERS / POLL_SECONDS
    assert rate <= stage["DefaultRouteSettings"]["ThrottlingBurstLimit"] <= 5000  # the account's
    assert stage["AccessLogSettings"]["DestinationArn"] == "{ApiAccessLogs.Arn}"
    line = json.loads(stage["AccessLogSettings"]["Format"])
    assert {"requestId", "route", "status", "caller"} <= set(line)


def test_what_everybody_may_ask_takes_little_of_the_functions_turns() -> None:
    ((name, stage),) = whole().of_type("AWS::ApiGatewayV2::Stage").items()
    unsigned = {key for key, route in routes().items() if route["AuthorizationType"] == "NONE"}
    assert stage["RouteSettings"].keys() == unsigned
    assert all(limit["ThrottlingRateLimit"] <= 10 for limit in stage["RouteSettings"].values())
    waited = {whole()[route]["RouteKey"] for route in source()["Resources"][name]["DependsOn"]}
    assert waited == unsigned, "a route that is not there"


def test_no_token_reaches_the_access_log() -> None:
    (stage,) = whole().of_type("AWS::ApiGatewayV2::Stage").values()
    assert "header" not in stage["AccessLogSettings"]["Format"].lower()


def test_the_function_answers_before_the_api_gives_up() -> None:
    assert whole()["ApiFunction"]["Timeout"] < 30


def test_this_api_alone_may_call_the_function() -> None:
    permission = whole()["ApiFunctionPermission"]
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["FunctionName"] == "{ApiFunction}"
    assert permission["SourceArn"] == "arn:aws:execute-api:eu-west-1:123456789012:{HttpApi}/*"


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


@pytest.mark.parametrize("asked", ["true", "false"])
def test_codes_come_through_ses_once_its_sender_is_confirmed(asked: str) -> None:
    assert source()["Parameters"]["CodesThroughSes"]["Default"] == "false", "refused before"
    stack = Stack(CodesThroughSes=asked, SenderEmail="ada@example.com")
    assert stack["UserPool"].get("EmailConfiguration") == (
        {
            "EmailSendingAccount": "DEVELOPER",
            "SourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/ada@example.com",
            "From": "ada@example.com",
            "ConfigurationSet": "{ConfigurationSet}",
        }
        if asked == "true"
        else None
    )


def test_a_script_that_signs_up_is_slowed_down_where_somebody_pays_for_it() -> None:
    assert "SignUpWebAcl" not in whole().resources, "it has a price by the month"
    stack = Stack(SignUpFirewall="true")
    assert stack["SignUpWebAclAssociation"] == {
        "ResourceArn": "{UserPool.Arn}",
        "WebACLArn": "{SignUpWebAcl.Arn}",
    }
    mails, everything = stack["SignUpWebAcl"]["Rules"]
    for rule in (mails, everything):
        assert rule["Action"] == {"Block": {}}
        assert rule["Statement"]["RateBasedStatement"]["AggregateKeyType"] == "IP"
    scope = mails["Statement"]["RateBasedStatement"]["ScopeDownStatement"]["RegexMatchStatement"]
    assert scope["FieldToMatch"] == {"SingleHeader": {"Name": "x-amzn-cognito-operation-name"}}
    named = re.compile(scope["RegexString"])
    assert all(map(named.search, ("SignUp", "ResendConfirmationCode", "ForgotPassword")))
    assert not any(map(named.search, ("InitiateAuth", "ConfirmSignUp", "GetUser")))
