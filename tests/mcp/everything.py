"""What the conformance suite expects a server to hold, added to ours: so that it can try the whole way, from
our mount through the protocol, and not only what our own tools happen to use."""

from __future__ import annotations

import asyncio
import base64
import struct
import zlib
from typing import Any

from fastmcp import Context, FastMCP
from fastmcp.exceptions import ToolError
from fastmcp.prompts import Message, PromptResult
from fastmcp.resources import ResourceContent, ResourceResult
from fastmcp.tools.base import ToolResult
from mcp_types import AudioContent, EmbeddedResource, ImageContent, TextContent, TextResourceContents


def _png() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(b"\x00\xff\x00\x00")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")


IMAGE = ImageContent(type="image", data=base64.b64encode(_png()).decode(), mime_type="image/png")
SOUND = base64.b64encode(
    b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8)
    + b"data" + struct.pack("<I", 0)
).decode()  # fmt: skip


def _resource(uri: str, kind: str, text: str) -> EmbeddedResource:
    return EmbeddedResource(
        type="resource", resource=TextResourceContents(uri=uri, mime_type=kind, text=text)
    )


def _text(text: str) -> TextContent:
    return TextContent(type="text", text=text)


def add_everything(mcp: FastMCP[Any]) -> None:
    _tools(mcp)
    _waiting(mcp)
    _resources(mcp)
    _prompts(mcp)


def _tools(mcp: FastMCP[Any]) -> None:
    @mcp.tool(description="One of the suite's own")
    def test_simple_text() -> ToolResult:
        return ToolResult([_text("This is a simple text response for testing.")])

    @mcp.tool(description="One of the suite's own")
    def test_image_content() -> ToolResult:
        return ToolResult([IMAGE])

    @mcp.tool(description="One of the suite's own")
    def test_audio_content() -> ToolResult:
        return ToolResult([AudioContent(type="audio", data=SOUND, mime_type="audio/wav")])

    @mcp.tool(description="One of the suite's own")
    def test_embedded_resource() -> ToolResult:
        about = "This is an embedded resource content."
        return ToolResult([_resource("test://embedded-resource", "text/plain", about)])

    @mcp.tool(description="One of the suite's own")
    def test_multiple_content_types() -> ToolResult:
        data = _resource("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
        return ToolResult([_text("Multiple content types test:"), IMAGE, data])

    @mcp.tool(description="One of the suite's own")
    def test_error_handling() -> None:
        raise ToolError("This tool intentionally returns an error for testing")


def _waiting(mcp: FastMCP[Any]) -> None:
    @mcp.tool(description="One of the suite's own")
    async def test_tool_with_logging(ctx: Context) -> str:
        for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await ctx.info(text)
            await asyncio.sleep(0.05)
        return "done"

    @mcp.tool(description="One of the suite's own")
    async def test_tool_with_progress(ctx: Context) -> str:
        for done in (0, 50, 100):
            await ctx.report_progress(done, 100)
            await asyncio.sleep(0.05)
        return "done"


def _resources(mcp: FastMCP[Any]) -> None:
    @mcp.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @mcp.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> ResourceResult:
        return ResourceResult([ResourceContent(_png(), mime_type="image/png")])

    @mcp.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:  # noqa: A002 - the suite's name
        return f'{{"id": "{id}", "templateTest": true, "data": "Data for ID: {id}"}}'


def _prompts(mcp: FastMCP[Any]) -> None:
    @mcp.prompt(description="One of the suite's own")
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @mcp.prompt(description="One of the suite's own")
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @mcp.prompt(description="One of the suite's own")
    def test_prompt_with_embedded_resource(resourceUri: str) -> PromptResult:  # noqa: N803 - the suite's name
        data = _resource(resourceUri, "text/plain", "Embedded resource content for testing.")
        return PromptResult([Message(data), Message("Please process the embedded resource above.")])

    @mcp.prompt(description="One of the suite's own")
    def test_prompt_with_image() -> PromptResult:
        return PromptResult([Message(IMAGE), Message("Please analyze the image above.")])
