"""A stand-in for the Kie API on loopback: for the demo, the tests, and integrations without a key."""

from __future__ import annotations

from kie_mcp.sandbox.faults import Fault, Faults
from kie_mcp.sandbox.options import SandboxOptions
from kie_mcp.sandbox.sandbox import Sandbox

__all__ = ["Fault", "Faults", "Sandbox", "SandboxOptions"]
