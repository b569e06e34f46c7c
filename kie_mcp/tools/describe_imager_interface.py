"""``describe_imager_interface``: the tools' contracts and the effective settings. Offline, never fails."""

from __future__ import annotations

from kie_mcp.tools.spec import Tool, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kie_mcp.catalogue import Catalogue
    from kie_mcp.config import Config
    from kie_mcp.context import CallContext
    from kie_mcp.services import Services

_LIBRARIES = ("requests", "tenacity", "jsonschema", "python-dotenv", "platformdirs", "pillow")


def _handle(services: Services, arguments: dict[str, Any], context: CallContext) -> ToolResult:  # noqa: ARG001 - it has none
    from kie_mcp.errors import KieMcpError

    shown: dict[str, Any] = {"ok": True, "server": _server(), "tools": _tools()}
    try:
        config = services.config
        environment = _environment(config, services.catalogue)
    except KieMcpError as error:
        return ToolResult({**shown, "environment": {"config_error": error.as_dict()}, "limits": {}})
    return ToolResult({**shown, "environment": environment, "limits": _limits(config, context)})


def _server() -> dict[str, Any]:
    import platform
    from importlib import metadata

    import kie_mcp

    libraries = {}
    for name in _LIBRARIES:
        try:
            libraries[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            libraries[name] = "not installed"
    return {
        "name": "kie-mcp",
        "version": kie_mcp.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "libraries": libraries,
    }


def _tools() -> list[dict[str, Any]]:
    from kie_mcp.tools import TOOLS

    return [
        {
            "name": tool.name,
            "description": tool.description,
            "arguments": list(tool.input_schema["properties"]),
            "required": tool.input_schema.get("required", []),
        }
        for tool in TOOLS
    ]


def _environment(config: Config, catalogue: Catalogue) -> dict[str, Any]:
    """The effective value of every variable; of the key only whether it is set."""
    from kie_mcp.config import VARIABLES
    from kie_mcp.files import Outputs

    folder, warning = Outputs(config).default_folder()
    variables = {
        variable.name: ("set" if config.api_key else "missing")
        if variable.secret
        else _plain(getattr(config, variable.field))
        for variable in VARIABLES
    }
    shown: dict[str, Any] = {
        "api_key": variables["KIE_AI_API_KEY"],
        "output_folder": str(folder),
        "state_folder": str(config.state_path),
        "preview": _preview(config),
        "models": [model.id for model in catalogue.search(None, None)],
        "platforms": list(catalogue.platform_names()),
        "variables": variables,
    }
    if warning:
        shown["output_folder_warning"] = warning
    return shown


def _preview(config: Config) -> str:
    """Whether answers show a small picture of what was saved."""
    from importlib.util import find_spec

    if not config.preview:
        return "off"
    return "on" if find_spec("PIL") else "off: Pillow is not installed (pip install 'kie-mcp[preview]')"


def _limits(config: Config, context: CallContext) -> dict[str, Any]:
    """``call_seconds``: how long a call of this client may go on before it hands its task back."""
    from kie_mcp.tools.arguments import begin

    begin(context, config)
    seconds = context.remaining()
    return {
        "new_tasks": f"{config.rate_limit.count} per {config.rate_limit.seconds:g} s",
        "polls_per_second": 10,
        "max_image_bytes": config.max_image_bytes,
        "poll_timeout_seconds": config.poll_timeout_seconds,
        "max_wait_seconds": config.max_wait_seconds,
        "call_seconds": None if seconds == float("inf") else round(seconds, 1),
        "max_credits_per_call": config.max_credits_per_call,
    }


def _plain(value: Any) -> Any:
    """A setting as JSON."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple):
        return [str(part) for part in value]
    return f"{value.count}/{value.seconds:g}" if hasattr(value, "seconds") else str(value)


TOOL = Tool(
    name="describe_imager_interface",
    title="Describe this server",
    description="Tools, settings, limits, output folder, versions. Works offline.",
    annotations={"readOnlyHint": True, "openWorldHint": False},
    handler=_handle,
)
