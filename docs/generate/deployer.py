"""The IAM policy of who deploys: the services of the template's resource types, and its roles."""

import json

from docs.generate.parts import DocumentError

ACCOUNT, STACK = "123456789012", "gen3d"
_SERVICES = {
    "ApiGatewayV2": ["apigateway"],
    "ApplicationAutoScaling": ["application-autoscaling"],
    "Budgets": ["billing", "budgets"],
    "CloudFront": ["cloudfront"],
    "CloudWatch": ["cloudwatch"],
    "CodeBuild": ["codebuild"],
    "Cognito": ["cognito-identity", "cognito-idp"],
    "DynamoDB": ["dynamodb"],
    "ECR": ["ecr"],
    "Events": ["events"],
    "IAM": [],  # by name, below
    "KMS": ["kms"],
    "Lambda": ["lambda"],
    "Logs": ["logs"],
    "S3": ["s3"],
    "SES": ["ses"],
    "SNS": ["sns"],
    "SQS": ["sqs"],
    "SageMaker": ["sagemaker"],
    "SecretsManager": ["secretsmanager"],
    "StepFunctions": ["states"],
    "WAFv2": ["wafv2"],
}
_BESIDE = ["cloudformation:*", "ec2:Describe*", "servicequotas:*", "sts:GetCallerIdentity"]
"""Of SAM, of the endpoint's network, and of `make preflight`."""
_ROLES = [
    "AttachRolePolicy",
    "CreateRole",
    "DeleteRole",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "GetRole",
    "GetRolePolicy",
    "ListAttachedRolePolicies",
    "ListRolePolicies",
    "PassRole",
    "PutRolePolicy",
    "TagRole",
    "UntagRole",
    "UpdateAssumeRolePolicy",
    "UpdateRole",
    "UpdateRoleDescription",
]
_POLICIES = [
    "CreatePolicy",
    "CreatePolicyVersion",
    "DeletePolicy",
    "DeletePolicyVersion",
    "GetPolicy",
    "GetPolicyVersion",
    "ListEntitiesForPolicy",
    "ListPolicyVersions",
    "TagPolicy",
    "UntagPolicy",
]


def policy(types: set[str]) -> str:
    """A policy that makes, changes and takes down resources of these types; for an example account.

    Raises
    ------
    DocumentError
        A type of a service that is not known here.
    """
    unknown = {kind for kind in types if kind.split("::")[1] not in _SERVICES}
    if unknown:
        raise DocumentError(f"deployer.py does not know the services of {', '.join(unknown)}.")
    services = {name for kind in types for name in _SERVICES[kind.split("::")[1]]}
    iam = f"arn:aws:iam::{ACCOUNT}"
    statements = [
        ([*(f"{name}:*" for name in sorted(services)), *_BESIDE], "*"),
        ([f"iam:{action}" for action in _ROLES], f"{iam}:role/{STACK}-*"),
        ([f"iam:{action}" for action in _POLICIES], f"{iam}:policy/{STACK}-*"),
        (["iam:CreateServiceLinkedRole"], f"{iam}:role/aws-service-role/*"),
    ]
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": resource}
            for actions, resource in statements
        ],
    }
    return f"```json\n{json.dumps(document, indent=1)}\n```"
