"""The API as an OpenAPI document, written from its routes, models, errors and examples.

What is said of models and of their fields are the docstrings that stand there.
"""

import ast
import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from http import HTTPStatus
from types import ModuleType
from typing import Any, TypeAlias  # noqa: TID251  JSON Schema

from pydantic import BaseModel
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gen3d.announcements import EventType, WebhookMessage
from gen3d.errors import DependencyUnavailable, Gen3DError, LimitReached
from gen3d_api import version
from gen3d_api.answers import ErrorView, JobView, SharedPage
from gen3d_api.examples import ERRORS, EXAMPLES, MESSAGES, QUERY
from gen3d_api.route import Gives, Route
from gen3d_aws.repeats import MAX_KEY

Json: TypeAlias = dict[str, Any]

_ABOUT = """\
An object in a photo becomes a mesh. A job goes: create it, upload its photo with the form of the
answer, initialize it, read it until it is AWAITING_MASK (and, to make masks of it, has a
`decoder`, which may be a draft's), upload a mask for each object, reconstruct, read it until it is
COMPLETED. A program may say in the first request what shows the objects, and where the photo lies:
then it has but to read the job. Whoever reads a job again waits `pollSeconds` in between. Requests
may be sent again after a lost answer: none does its work twice, but for POST /jobs without an
Idempotency-Key, which then has made two jobs.

An answer may hold more in time: ignore what you do not know. A request may hold nothing that is
not described here. API Gateway itself answers 401 and 429, with a message alone. What breaks
callers raises the version, which the header Gen3D-Version names; the version before is then
answered for a year more.
"""

_SERVERS: list[Json] = [
    {"url": ".", "description": "Where this document was read."},
    {
        "url": "https://{api}.execute-api.{region}.amazonaws.com",
        "variables": {
            "api": {"default": "ApiEndpoint of the stack's outputs"},
            "region": {"default": "us-east-1"},
        },
    },
    {"url": "http://localhost:20005/api", "description": "`make run`"},
]

_SIGN_IN, _KEY = "idToken", "key"
_SIGNED = {
    "webhook-id": "Which event it is, the same however often it is sent.",
    "webhook-timestamp": "When it was sent, in seconds since 1970. Refuse what is not of the last "
    "five minutes.",
    "webhook-signature": "`v1,` and the base64 of HMAC-SHA256 over id, timestamp and body, with "
    "full stops between.",
}
_TELLS = {
    EventType.AWAITING_MASK: "A job's photo is prepared, and the job waits for masks",
    EventType.COMPLETED: "A job is complete: the meshes are there, of some objects at least",
    EventType.FAILED: "A job has failed",
    EventType.CANCELLED: "A job was cancelled",
    EventType.EXPIRED: "A job waited too long for its masks",
}
_RETRY_AFTER = {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
_VERSION = {version.HEADER: {"$ref": f"#/components/headers/{version.HEADER}"}}


def document(routes: Iterable[Route]) -> Json:
    """The OpenAPI document of these routes."""
    listed = list(routes)
    paths: dict[str, Json] = {}
    for route in listed:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Gen3D", "version": str(version.VERSION), "description": _plain(_ABOUT)},
        "servers": _SERVERS,
        "security": [{_SIGN_IN: []}, {_KEY: []}],
        "paths": paths,
        "webhooks": {each.name: _webhook(each) for each in EventType},
        "components": {
            "securitySchemes": {
                _SIGN_IN: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "The ID token that Cognito gives at the sign-in; not the "
                    "access token.",
                },
                _KEY: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "gen3d_…",
                    "description": "A key for programs, which a person makes with POST /keys or "
                    "on the page.",
                },
            },
            "parameters": {
                version.HEADER: {
                    "name": version.HEADER,
                    "in": "header",
                    "description": "The version that you read of; without it, the first that is "
                    "still answered.",
                    "schema": {"type": "string", "enum": [str(n) for n in version.SPOKEN]},
                }
            },
            "headers": {
                "Retry-After": {
                    "description": "Seconds; of a job as `pollSeconds`, where it was merely read.",
                    "schema": {"type": "integer"},
                },
                version.HEADER: {
                    "description": "The version that the answer is of.",
                    "schema": {"type": "string"},
                },
            },
            "examples": {**_shown(listed), **_refusals(listed), **_events()},
            "schemas": _schemas(listed),
        },
    }


def _operation(route: Route) -> Json:
    operation: Json = {"operationId": route.name, "summary": route.says}
    if route.details:
        operation["description"] = route.details
    if route.for_all:
        operation["security"] = []
    elif route.right is None:
        operation["security"] = [{_SIGN_IN: []}]
    operation["parameters"] = [*_parameters(route)]
    if route.body is not None:
        operation["requestBody"] = {
            "required": any(field.is_required() for field in route.body.model_fields.values()),
            "content": _content(route.body),
        }
    responses = {str(status): _given(gives) for status, gives in sorted(route.gives.items())}
    for status in sorted({error.status for error in route.errors}):
        responses[str(status)] = _refused([e for e in route.errors if e.status == status])
    operation["responses"] = responses
    return operation


def _webhook(event: EventType) -> Json:
    """What is posted to a webhook."""
    name = f"{WebhookMessage.__name__}.{event.name}"
    texts = {header: {"type": "string"} for header in _SIGNED}
    return {
        "post": {
            "operationId": to_camel(event.value.replace(".", "_")),
            "summary": _TELLS[event],
            "description": "Signed as Standard Webhooks says, with the secret of the answer to "
            "POST /webhooks. Answer 2xx within 15 seconds, and do what takes longer afterwards.",
            "security": [],
            "parameters": [
                {"name": header, "in": "header", "description": says, "required": True}
                | {"schema": texts[header]}
                for header, says in _SIGNED.items()
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {"$ref": f"#/components/schemas/{WebhookMessage.__name__}"},
                        "examples": {event.name: {"$ref": f"#/components/examples/{name}"}},
                    }
                },
            },
            "responses": {
                "2XX": {"description": "It is taken, and not sent again."},
                "410": {"description": "Nothing more is sent to this webhook."},
                "default": {"description": "It is sent again, for a day."},
            },
        }
    }


def _events() -> Json:
    return {
        f"{WebhookMessage.__name__}.{each.name}": {
            "value": MESSAGES[each].model_dump(mode="json", by_alias=True, exclude_none=True)
        }
        for each in EventType
    }


def alone(model: type[BaseModel], examples: Iterable[BaseModel]) -> Json:
    """A model's schema as a document of its own, of JSON Schema's version 2020-12."""
    schemas = json.loads(
        json.dumps(_of({model}, "serialization")).replace("#/components/schemas/", "#/$defs/")
    )
    own = schemas.pop(model.__name__)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **own,
        "$defs": schemas,
        "examples": [
            each.model_dump(mode="json", by_alias=True, exclude_none=True) for each in examples
        ],
    }


def _parameters(route: Route) -> Iterator[Json]:
    for name in route.ids:
        schema = {"$ref": f"#/components/schemas/{name[0].upper()}{name[1:]}"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    for name, says in route.query.items():
        example: Json = {"type": "string", "examples": [QUERY[name]]}
        yield {"name": name, "in": "query", "description": says, "schema": example}
    for name, says in route.headers.items():
        text: Json = {"type": "string", "minLength": 1, "maxLength": MAX_KEY}
        yield {"name": name, "in": "header", "description": says, "schema": text}
    yield {"$ref": f"#/components/parameters/{version.HEADER}"}


def _given(gives: Gives) -> Json:
    if gives.content is None:
        return {"description": gives.says, "headers": _VERSION}
    headers = {**_VERSION, **(_RETRY_AFTER if gives.content is JobView else {})}
    return {"description": gives.says, "headers": headers, "content": _content(gives.content)}


def _content(model: type[BaseModel]) -> Json:
    content: Json = {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}
    if model is SharedPage:
        return {"text/html": content}
    if model in EXAMPLES:
        content["examples"] = {
            name: {"$ref": f"#/components/examples/{model.__name__}.{name}"}
            for name in EXAMPLES[model]
        }
    return {"application/json": content}


def _refused(errors: list[type[Gen3DError]]) -> Json:
    waits = {LimitReached, DependencyUnavailable}.intersection(errors)
    said = [f"`{error.__name__}`: {_first_line(error)}" for error in errors]
    examples = {e.__name__: {"$ref": f"#/components/examples/{e.__name__}"} for e in errors}
    schema = {"$ref": f"#/components/schemas/{ErrorView.__name__}"}
    return {
        "description": "\n\n".join(said) or HTTPStatus(errors[0].status).phrase,
        "headers": {**_VERSION, **(_RETRY_AFTER if waits else {})},
        "content": {"application/json": {"schema": schema, "examples": examples}},
    }


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").splitlines()[0]


def _shown(routes: Iterable[Route]) -> Json:
    """The examples of what is asked and answered."""
    models = {m for r in routes for m in (r.body, *(g.content for g in r.gives.values()))}
    return {
        f"{model.__name__}.{name}": {
            "value": example.model_dump(mode="json", by_alias=True, exclude_unset=True)
        }
        for model, examples in EXAMPLES.items()
        if model in models
        for name, example in examples.items()
    }


def _refusals(routes: Iterable[Route]) -> Json:
    """An example of each error."""
    refused = {error for route in routes for error in route.errors}
    return {
        error.__name__: {"value": ERRORS[error].body()}
        for error in sorted(refused, key=lambda error: error.__name__)
    }


# Schemas


def _schemas(routes: list[Route]) -> Json:
    asked = {route.body for route in routes if route.body is not None}
    told = {g.content for route in routes for g in route.gives.values() if g.content is not None}
    bodies = {name: _closed(schema) for name, schema in _of(asked, "validation").items()}
    answers = _of({*told, ErrorView, WebhookMessage}, "serialization")
    for name in bodies.keys() & answers.keys():
        assert bodies[name] == answers[name], f"{name} means one thing asked and another answered"
    return dict(sorted({**bodies, **answers}.items()))


def _of(models: set[type[BaseModel]], mode: JsonSchemaMode) -> Json:
    """Schemas of the models, and of all that they are made of, by their names."""
    ordered = sorted(models, key=lambda model: model.__name__)
    _, found = models_json_schema(
        [(model, mode) for model in ordered], ref_template="#/components/schemas/{model}"
    )
    classes = {cls.__name__: cls for model in ordered for cls in _reached(model)}
    defined: Json = found["$defs"]
    needed = _needed({model.__name__ for model in ordered}, defined)
    return {
        name: _said(defined[name], classes.get(name), answered=mode == "serialization")
        for name in sorted(needed)
    }


def _needed(names: set[str], schemas: Json) -> set[str]:
    """These and what they refer to; of a type that says its schema itself, pydantic leaves more."""
    needed: set[str] = set()
    while names:
        needed |= names
        text = json.dumps([schemas[name] for name in names])
        names = set(re.findall(r'"#/components/schemas/(\w+)"', text)) - needed
    return needed


def _closed(schema: Json) -> Json:
    # The handler forbids at each depth what is unknown, whatever the model itself says.
    return {**schema, "additionalProperties": False} if "properties" in schema else schema


def _said(schema: Json, model: type[BaseModel] | None, *, answered: bool) -> Json:
    """A schema with what its model's docstrings say, and without what only pydantic says."""
    shown = {key: value for key, value in schema.items() if key != "title"}
    if "description" in shown:
        shown["description"] = _plain(shown["description"])
    if "properties" not in shown:
        return shown
    words = _docstrings(model) if model else {}
    if model is not None and not model.__doc__:
        shown.pop("description", None)
    titles = {n for n, f in model.model_fields.items() if f.title} if model else set()
    properties = {}
    for name, of_property in shown["properties"].items():
        kept = {**of_property}
        if name not in titles:  # pydantic's own, after the name
            kept.pop("title", None)
        if answered:  # what an answer leaves out is absent, and no default
            kept.pop("default", None)
        if name in words:
            kept.setdefault("description", words[name])
        properties[name] = kept
    return {**shown, "properties": properties}


def _docstrings(model: type[BaseModel]) -> Mapping[str, str]:
    """What stands below each field, by the field's public name."""
    said: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if issubclass(cls, BaseModel) and cls is not BaseModel:
            module = inspect.getmodule(cls)
            if module is not None:
                said |= _of_module(module).get(cls.__name__, {})
    fields = model.model_fields
    return {fields[name].alias or name: text for name, text in said.items() if name in fields}


@cache
def _of_module(module: ModuleType) -> Mapping[str, Mapping[str, str]]:
    """Class → field → the docstring below it."""
    tree = ast.parse(inspect.getsource(module))
    found: dict[str, dict[str, str]] = {}
    for cls in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        fields = found.setdefault(cls.name, {})
        for field, below in zip(cls.body, cls.body[1:], strict=False):
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                fields[field.target.id] = _plain(inspect.cleandoc(str(below.value.value)))
    return found


def _plain(text: str) -> str:
    """A docstring as Markdown: in lines of the reader's own, with code as Markdown quotes it."""
    paragraphs = [" ".join(part.split()) for part in text.split("\n\n")]
    return "\n\n".join(paragraphs).replace("``", "`")


def _reached(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model and all that its fields are made of."""
    seen: set[type[BaseModel]] = set()
    waiting: list[object] = [model]
    while waiting:
        this = waiting.pop()
        if isinstance(this, type) and issubclass(this, BaseModel):
            if this in seen:
                continue
            seen.add(this)
            waiting += [field.annotation for field in this.model_fields.values()]
        else:
            waiting += [*getattr(this, "__args__", ())]
            waiting += [this.__value__] if hasattr(this, "__value__") else []
    yield from seen
