"""What ``tools/list`` publishes: names, arguments, schemas, annotations, size."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from kie_mcp import errors
from kie_mcp.tools import TOOLS
from kie_mcp.tools.spec import ToolResult

BY_NAME = {tool.name: tool for tool in TOOLS}
ANY = pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)

PICTURE = [
    "prompt",
    "style",
    "platform",
    "negative_prompt",
    "model",
    "aspect_ratio",
    "resolution",
    "output_format",
    "image_input",
    "model_params",
    "callback_url",
]
WAITING = ["wait_for_result", "poll_interval_seconds", "poll_timeout_seconds"]
ITEM = [*PICTURE, "output_path", *WAITING]


def test_the_tools_are_those_that_callers_know():
    assert sorted(BY_NAME) == [
        "create_visual_task",
        "describe_imager_interface",
        "generate_visual",
        "generate_visual_batch",
        "get_credits",
        "get_visual_task",
        "list_models",
        "list_visual_tasks",
    ]


@pytest.mark.parametrize(
    ("name", "arguments", "required"),
    [
        ("generate_visual", ITEM, ["prompt"]),
        ("create_visual_task", PICTURE, ["prompt"]),
        (
            "generate_visual_batch",
            ["items", *[f"default_{name}" for name in ITEM], "max_workers", "continue_on_error", "dry_run"],
            ["items"],
        ),
        ("get_visual_task", ["task_id", "download", "wait_seconds", "output_path"], ["task_id"]),
        ("list_visual_tasks", ["status", "limit", "cursor"], []),
        ("list_models", ["query", "kind"], []),
        ("get_credits", [], []),
        ("describe_imager_interface", [], []),
    ],
)
def test_the_arguments_of_a_tool_are_those_that_callers_know(name, arguments, required):
    schema = BY_NAME[name].input_schema
    assert sorted(schema["properties"]) == sorted(arguments)
    assert schema.get("required", []) == required


def test_an_item_of_a_batch_has_the_arguments_of_a_single_picture():
    item = BY_NAME["generate_visual_batch"].input_schema["properties"]["items"]["items"]
    assert sorted(item["properties"]) == sorted(ITEM)
    assert item["additionalProperties"] is False


@pytest.mark.parametrize("name", ITEM)
def test_an_argument_is_typed_alike_wherever_it_appears(name):
    batch = BY_NAME["generate_visual_batch"].input_schema["properties"]
    everywhere = [
        BY_NAME["generate_visual"].input_schema["properties"][name],
        BY_NAME["create_visual_task"].input_schema["properties"].get(name),
        batch["items"]["items"]["properties"][name],
        batch[f"default_{name}"],
    ]
    typed = [{key: value for key, value in schema.items() if key != "description"} for schema in everywhere if schema]
    assert all(one == typed[0] for one in typed)


@ANY
def test_schemas_are_json_schema_2020_12(tool):
    Draft202012Validator.check_schema(tool.input_schema)
    Draft202012Validator.check_schema(tool.output_schema)


@ANY
def test_the_root_of_an_input_is_a_plain_object_that_refuses_the_unknown(tool):
    schema = tool.input_schema
    assert schema["type"] == "object"
    assert not {"oneOf", "anyOf", "allOf", "not", "if", "$ref"} & set(schema)
    assert schema["additionalProperties"] is False
    assert "$ref" not in json.dumps(tool.output_schema)


@ANY
def test_the_root_of_an_output_is_an_object_that_says_ok(tool):
    assert tool.output_schema["type"] == "object"
    assert "ok" in tool.output_schema["required"]


@ANY
def test_titles_and_descriptions_are_there_and_short(tool):
    assert 0 < len(tool.title) <= 40
    assert 0 < len(tool.description) <= 250


@pytest.mark.parametrize(
    ("name", "read_only", "idempotent", "open_world"),
    [
        ("generate_visual", False, False, True),
        ("generate_visual_batch", False, False, True),
        ("create_visual_task", False, False, True),
        ("get_visual_task", False, True, True),
        ("list_visual_tasks", False, True, True),
        ("list_models", True, None, False),
        ("get_credits", True, None, True),
        ("describe_imager_interface", True, None, False),
    ],
)
def test_annotations_are_true_to_what_the_tool_does(name, read_only, idempotent, open_world):
    annotations = BY_NAME[name].annotations
    assert annotations["readOnlyHint"] is read_only
    assert annotations["openWorldHint"] is open_world
    assert annotations.get("destructiveHint", False) is False
    if not read_only:  # the other two hints only mean something for tools that change things
        assert annotations["destructiveHint"] is False
        assert annotations["idempotentHint"] is idempotent


def test_the_whole_list_stays_small():
    listed = [
        {
            "name": tool.name,
            "title": tool.title,
            "description": tool.description,
            "inputSchema": tool.input_schema,
            "outputSchema": tool.output_schema,
            "annotations": {"title": tool.title, **tool.annotations},
        }
        for tool in TOOLS
    ]
    message = {"jsonrpc": "2.0", "id": 1, "result": {"tools": listed}}
    assert len(json.dumps(message).encode()) < 12_000  # with spaces, as not everybody leaves them out


@ANY
def test_what_is_published_is_what_validates(tool):
    assert tool.input_schema is tool.input_schema
    assert tool.output_schema is tool.output_schema


def every_error(root=errors.KieMcpError):
    return [root, *[one for child in root.__subclasses__() for one in every_error(child)]]


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_every_error_has_the_one_shape_on_every_tool(kind, error_schema):
    error = kind("Something is wrong.")
    for change in ({}, {"code": 433}, {"code": "422", "task_id": "t"}):
        for name, value in change.items():
            setattr(error, name, value)
        structured = ToolResult.failure(error).structured
        assert structured["ok"] is False
        Draft202012Validator(error_schema).validate(structured["error"])
        for tool in TOOLS:
            Draft202012Validator(tool.output_schema).validate(structured)
