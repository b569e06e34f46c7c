"""Resources, prompts and completion: what is asked of the rooms below, and its answer in the revision's words."""

from __future__ import annotations

from kie_mcp.errors import LONGEST_TEXT, InputError, KieMcpError, NoResourceError
from kie_mcp.protocol.calls import Call
from kie_mcp.protocol.messages import INTERNAL_ERROR, INVALID_PARAMS, RpcError
from kie_mcp.protocol.publish import complete

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kie_mcp.protocol.messages import Message
    from kie_mcp.protocol.outlets import Outlets
    from kie_mcp.protocol.requests import Work
    from kie_mcp.protocol.revisions import Revision

_TITLED = ("resources", "resourceTemplates", "prompts")
"""Lists whose entries have what ``Revision.titles`` is about."""


def call(request_id: str | int, outlets: Outlets) -> Call:
    """A call without progress that takes the little time it needs."""
    return Call(request_id, outlets.clock, None, float("inf"))


def work(request: Message, revision: Revision, outlets: Outlets) -> Work:
    """What the request does. It raises ``RpcError``: for what is not there, cannot be used or cannot be done."""

    def run(call: Call) -> dict[str, Any]:
        try:
            call.context.raise_if_cancelled()
            result = outlets.answer(request.method, request.params, call.context)
        except NoResourceError as error:
            data = {"uri": error.uri} if len(error.uri) <= LONGEST_TEXT else None
            raise RpcError(revision.no_resource, error.message, data) from error
        except InputError as error:
            raise RpcError(INVALID_PARAMS, error.message) from error
        except KieMcpError as error:
            raise RpcError(INTERNAL_ERROR, error.message, error.as_dict()) from error
        shown = result if revision.titles else _untitled(result)
        return complete(shown, revision, request.method)

    return run


def _untitled(result: dict[str, Any]) -> dict[str, Any]:
    return {name: [_plain(entry) for entry in value] if name in _TITLED else value for name, value in result.items()}


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    shown = {name: value for name, value in entry.items() if name != "title"}
    if "annotations" in entry:
        shown["annotations"] = {name: value for name, value in entry["annotations"].items() if name != "lastModified"}
    if "arguments" in entry:
        shown["arguments"] = [_plain(argument) for argument in entry["arguments"]]
    return shown
