"""Run a tool for any surface: policy, parameters, a thread, a time limit, a log line, a clear fault."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from server.aws.errors import fault_of
from server.faults import Code, Fault
from server.observe.logs import event, request_id
from server.registry import Call
from server.security.policy import RateLimiter, check_tool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from server.aws.session import Sessions
    from server.registry import Description, Parameters, Registry, Result, Tool
    from server.security.redaction import Redactor
    from server.settings import Settings

logger = logging.getLogger(__name__)
#: How many calls run at once; the rest wait, and their waiting counts against the time limit.
_THREADS: Final = 32


@dataclass(frozen=True, slots=True)
class Request:
    """One call as a surface received it."""

    tool: str
    params: Mapping[str, object]
    surface: str
    caller: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call that succeeded answers with."""

    tool: str
    data: dict[str, object]
    duration_ms: float


class Executor:
    """Execute calls against one registry under one policy."""

    def __init__(
        self, registry: Registry, settings: Settings, sessions: Sessions, redactor: Redactor
    ) -> None:
        self.registry = registry
        self._settings = settings
        self._sessions = sessions
        self._redactor = redactor
        self._limiter = RateLimiter(settings.rate_limit)
        # A pool of its own: a call that outlives its time limit keeps its thread, so threads stay bounded.
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="tool")

    async def execute(self, request: Request) -> Outcome:
        """Run one call.

        Raises:
            Fault: whatever went wrong, without secrets in it.
        """
        started = time.perf_counter()
        try:
            found = self.registry.find(request.tool)
            self._limiter.take(request.caller)
            check_tool(found.tool, self._settings)
            data = await self._run(found, request)
        except Exception as error:
            fault = self._fault(error, request)
            self._log(request, started, fault.code.value, fault.message)
            raise fault from error
        duration = self._log(request, started, "success")
        return Outcome(found.tool.name, data, duration)

    def visible(self) -> list[Description]:
        """Return the tools that the policy lets callers use."""
        return [found for found in self.registry if self._permitted(found.tool)]

    def close(self) -> None:
        """Start no more calls; those that run keep their threads until they end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _permitted(self, tool: Tool[Any, Any]) -> bool:
        try:
            check_tool(tool, self._settings)
        except Fault:
            return False
        return True

    async def _run(self, found: Description, request: Request) -> dict[str, object]:
        params = _validated(found.tool, request.params)
        call = Call(request_id.get(), request.caller, self._sessions)
        context = contextvars.copy_context()

        def work() -> Result:
            return context.run(found.tool.function, call, params)

        running = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            async with asyncio.timeout(self._settings.tool_timeout_seconds):
                result = await running
        except TimeoutError as error:
            # AWS time-outs are botocore's own classes; this one is the limit's, or a bug in the tool.
            raise self._timeout(found.tool.name) from error
        return result.model_dump(mode="json")

    def _timeout(self, name: str) -> Fault:
        limit = self._settings.tool_timeout_seconds
        return Fault(
            Code.TIMEOUT,
            f"{name} did not finish within {limit:g} s",
            hint="raise MCP_TOOL_TIMEOUT_SECONDS, or check the way to AWS with aws/test-environment",
            details={"tool": name, "timeout_seconds": limit},
            retryable=True,
        )

    def _fault(self, error: Exception, request: Request) -> Fault:
        fault = error if isinstance(error, Fault) else fault_of(error)
        if fault is None:
            logger.error("tool failed unexpectedly", exc_info=error, extra={"fields": {"tool": request.tool}})
            fault = Fault(
                Code.INTERNAL,
                f"{request.tool} failed unexpectedly",
                hint="the service's log has the reason under this request_id",
                details={"request_id": request_id.get()},
            )
        return self._redactor.fault(fault)

    def _log(self, request: Request, started: float, outcome: str, error: str | None = None) -> float:
        duration = round((time.perf_counter() - started) * 1000, 3)
        event(
            logger,
            logging.INFO,
            "tool call",
            tool=request.tool[:128],
            surface=request.surface,
            caller=request.caller,
            outcome=outcome,
            duration_ms=duration,
            **({} if error is None else {"error": error}),
        )
        return duration


def _validated(tool: Tool[Any, Any], params: Mapping[str, object]) -> Parameters:
    try:
        return tool.parameters.model_validate(params)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        fields = [
            {"field": ".".join(str(part) for part in problem["loc"]), "message": problem["msg"]}
            for problem in problems
        ]
        known = ", ".join(tool.parameters.model_fields) or "none"
        raise Fault(
            Code.INVALID_PARAMS,
            "; ".join(f"{item['field'] or 'params'}: {item['message']}" for item in fields),
            hint=f"{tool.name} takes these parameters: {known}",
            details={"tool": tool.name, "fields": fields},
        ) from None
