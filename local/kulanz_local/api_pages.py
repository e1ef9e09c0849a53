"""Writes what is told of the API from its table of routes: `python -m kulanz_local.api_pages`.

That is the OpenAPI document, the table of routes in docs/api.md, and the roles in docs/roles.md.
"""

import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, get_type_hints

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

import kulanz
from kulanz.application.door.parameters import PARAMETERS
from kulanz.application.door.problems import CONTENT_TYPE, Kind, ProblemContent
from kulanz.application.door.routes import ROUTES, Role, Route
from kulanz.application.incidents.incident_event import CampaignContract, IncidentContract
from kulanz_local.embedded import PROJECT

DOCUMENT = PROJECT / "docs" / "openapi.json"
API_PAGE = PROJECT / "docs" / "api.md"
ROLES_PAGE = PROJECT / "docs" / "roles.md"
PLACE = "#/components/schemas/{model}"

ROLE_TEXTS: Mapping[Role, str] = {
    Role.SUPPORT: "Answers a customer: did I get it, and why that much? Accepts offers, decides cases.",
    Role.REQUESTER: "Reports incidents, uploads lists, requests campaigns and asks for voids.",
    Role.APPROVER: "Reads what a plan will grant; approves or rejects it, or a void; agrees to decisions by hand.",
    Role.OPERATOR: "Is called at night: pauses, resumes, cancels and settles campaigns, and repairs after a failure.",
    Role.FINANCE: "Checks sums to the bill; exports rows; delivers settled campaigns; hands in the answers of billing.",
    Role.AUDITOR: "Reads everything, and changes nothing. An export that it asks for is a copy.",
    Role.ADMINISTRATOR: "Halts the whole stack, confirms its tables, and reads the audit log.",
    Role.PUBLISHER: "Publishes policies. The parameter `PolicyPublisherArns` must name its users or roles as well.",
}
"""Who each role is for."""
BESIDE_ROUTES: Mapping[Role, str] = {
    Role.REQUESTER: "`s3:PutObject` and `s3:AbortMultipartUpload` under `lists/` of the list bucket",
    Role.FINANCE: "`s3:PutObject` and `s3:AbortMultipartUpload` under `acknowledgements/` of the list bucket",
    Role.PUBLISHER: "`s3:PutObject` and `s3:GetObject` under `policies/` of the list bucket",
}
"""What a role's policy permits beside routes."""


OF_THE_GATEWAY: Mapping[int, str] = {
    403: "no valid signature, or not permitted",
    404: "no such route",
    413: "over 10 MB",
    429: "too many requests",
    503: "no answer within 30 seconds",
}
"""What the gateway answers before, or instead of, the function."""
GATEWAY_MESSAGE = {
    "title": "GatewayMessage",
    "description": "What the gateway answers by itself.",
    "type": "object",
    "properties": {"message": {"type": "string"}},
    "required": ["message"],
}
REQUIRED_IN_A_QUERY = frozenset({"actor"})


def answer_model(route: Route) -> Any:
    """The type of a route's answer."""
    module, _, name = route.use.partition(".")
    return get_type_hints(getattr(import_module(f"kulanz.application.door.{module}"), name))["return"]


def body_model(route: Route) -> Any:
    """The model of a route's body; None where it takes none."""
    module = route.use.partition(".")[0]
    return getattr(import_module(f"kulanz.application.door.{module}"), route.body) if route.body else None


def openapi() -> dict[str, Any]:
    """The OpenAPI document of all routes."""
    adapters = [
        ("problem", "serialization", TypeAdapter(ProblemContent)),
        ("incident", "validation", TypeAdapter(IncidentContract)),
        ("campaign", "validation", TypeAdapter(CampaignContract)),
    ]
    for route in ROUTES:
        adapters.append((f"answer {route.key}", "serialization", TypeAdapter(answer_model(route))))
        if route.body:
            adapters.append((f"body {route.key}", "validation", TypeAdapter(body_model(route))))
    found, defined = TypeAdapter.json_schemas(adapters, ref_template=PLACE, schema_generator=GenerateJsonSchema)  # type: ignore[arg-type]
    named = {name: schema for (name, _), schema in found.items()}
    schemas: dict[str, Any] = defined["$defs"]
    _name_contracts(schemas)
    schemas["GatewayMessage"] = GATEWAY_MESSAGE
    paths: dict[str, Any] = {}
    for route in ROUTES:
        operation = _operation(route, named[f"answer {route.key}"], named.get(f"body {route.key}"))
        paths.setdefault(route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kulanz",
            "version": kulanz.__version__,
            "summary": "What persons ask of Kulanz and do to it.",
            "description": "docs/api.md has what holds for all routes, docs/roles.md who may call which.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "https://{api}.execute-api.{region}.amazonaws.com",
                "description": "The output ApiUrl of the stack",
                "variables": {"api": {"default": "api"}, "region": {"default": "eu-central-1"}},
            }
        ],
        "security": [{"signature": []}],
        "tags": [{"name": work} for work in dict.fromkeys(route.work for route in ROUTES)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "AWS Signature Version 4, service execute-api",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                }
            },
            "schemas": dict(sorted(schemas.items())),
        },
    }


def _name_contracts(schemas: dict[str, Any]) -> None:
    """A request's `incident` and `campaign` are those of events: their fields are checked by the same contract."""
    schemas["RecordBody"]["properties"]["incident"] = {
        "$ref": PLACE.format(model="IncidentContract"),
        "description": "The fields of an incident event. Its id and revision stand in the path and may be left out.",
    }
    schemas["CampaignBody"]["properties"]["campaign"] = {"$ref": PLACE.format(model="CampaignContract")}
    incident = schemas["IncidentContract"]
    incident["required"] = [name for name in incident["required"] if name not in ("incident_id", "revision")]
    del incident["properties"]["campaign"]


def _operation(route: Route, answer: Mapping[str, Any], body: Mapping[str, Any] | None) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.use.replace(".", "_"),
        "summary": route.summary,
        "tags": [route.work],
        "description": f"For: {', '.join(sorted(route.roles))}.",
        "parameters": [*_parameters(route.names, "path"), *_parameters(route.query, "query")],
        "responses": {"200": {"description": "The answer", "content": {"application/json": {"schema": answer}}}},
    }
    problem = {"schema": {"$ref": PLACE.format(model="ProblemContent")}}
    message = {"schema": {"$ref": PLACE.format(model="GatewayMessage")}}
    of_function = _problems(route)
    for status in sorted({*of_function, *OF_THE_GATEWAY}):
        names = [kind.code for kind in of_function.get(status, ())]
        content = {CONTENT_TYPE: problem} if names else {}
        if status in OF_THE_GATEWAY:
            content["application/json"] = message
            names.append(f"the gateway: {OF_THE_GATEWAY[status]}")
        operation["responses"][str(status)] = {"description": ", ".join(names), "content": content}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _parameters(names: tuple[str, ...], place: str) -> Iterator[dict[str, Any]]:
    for name in names:
        known = PARAMETERS[name]
        yield {
            "name": name,
            "in": place,
            "required": place == "path" or name in REQUIRED_IN_A_QUERY,
            "description": known.expected,
            "schema": {"type": "string", "pattern": f"^(?:{known.pattern})$"},
        }


_OF_ACTIONS = frozenset(
    {
        *(Kind.CONTENT_TYPE, Kind.TOO_LARGE, Kind.BODY, Kind.REFUSED, Kind.REQUEST_REFUSED),
        *(Kind.ID_USED, Kind.PERSON_NEEDED),
    }
)
"""Problems that a question does not have."""


def _problems(route: Route) -> dict[int, list[Kind]]:
    found: dict[int, list[Kind]] = {}
    for kind in Kind:
        if route.method == "PUT" or kind not in _OF_ACTIONS:
            found.setdefault(kind.status, []).append(kind)
    return dict(sorted(found.items()))


def routes_table() -> str:
    """The routes as a table of the page."""
    lines = ["| route | what | roles |", "|---|---|---|"]
    lines += [f"| `{route.key}` | {route.summary} | {', '.join(sorted(route.roles))} |" for route in ROUTES]
    return "\n".join(lines)


def roles_sections() -> str:
    """A section for each role: who it is for and what it can do."""
    return "\n".join(_role_section(role) for role in Role)


def _role_section(role: Role) -> str:
    lines = [f"### {role.value}", "", ROLE_TEXTS[role], "", "It can:", ""]
    lines += [f"- `{route.key}`: {route.summary}" for route in ROUTES if role in route.roles]
    if role in BESIDE_ROUTES:
        lines.append(f"- {BESIDE_ROUTES[role]}")
    return "\n".join([*lines, ""])


def pages() -> dict[str, str]:
    """The text of each file, by its name."""
    return {
        "openapi.json": json.dumps(openapi(), indent=2) + "\n",
        "api.md": _between(API_PAGE.read_text(encoding="utf-8"), "routes", routes_table()),
        "roles.md": _between(ROLES_PAGE.read_text(encoding="utf-8"), "roles", roles_sections()),
    }


def _between(text: str, name: str, content: str) -> str:
    """A page with other content between its two marks."""
    begin, end = f"<!-- {name}: written by kulanz_local.api_pages -->", f"<!-- end of {name} -->"
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"the page lacks its marks for {name}")
    return f"{before}{begin}\n{content.strip()}\n{end}{after}"


if __name__ == "__main__":
    for name, text in pages().items():
        (PROJECT / "docs" / name).write_text(text, encoding="utf-8")
