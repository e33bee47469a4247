"""One socket: the page's orders come in, the newest of a run goes out."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from deltarule.errors import DataError, SettingError
from deltarule.playground.playground import Playground
from deltarule.playground.protocol import Command, Start, message, parse_order
from deltarule.playground.training_run import TrainingRun

GOING_AWAY, UNSUPPORTED, INVALID = 1001, 1003, 1007  # RFC 6455, 7.4.1


@dataclass(eq=False)
class Conversation:
    """What goes on over one socket that has been accepted.

    idle_seconds: how long it may be silent while nothing is learning.
    outbox: what is still to be said, and whether it is a frame: at most one, the newest.
    """

    playground: Playground
    websocket: WebSocket
    idle_seconds: float
    training: TrainingRun | None = None
    outbox: list[tuple[bytes, bool]] = field(default_factory=list)
    has_mail: asyncio.Event = field(default_factory=asyncio.Event)

    async def hold(self) -> None:
        """Listen and talk until one side has had enough; the run of this socket ends with it."""
        talking = asyncio.create_task(self._talk())
        try:
            with suppress(WebSocketDisconnect):
                await self._listen()
        finally:
            talking.cancel()
            if self.training is not None:
                self.training.control.obey("stop")

    async def _listen(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self.idle_seconds):
                    event = await self.websocket.receive()
            except TimeoutError:
                if self.training is not None and self.training.is_alive():
                    continue
                return await self.websocket.close(GOING_AWAY, "nothing was said for a while")
            if event["type"] == "websocket.disconnect":
                return None
            if event.get("text") is None:
                return await self.websocket.close(UNSUPPORTED, "orders are text")
            try:
                await self._obey(parse_order(event["text"]))
            except (SettingError, DataError) as error:
                await self.websocket.send_text(message("refused", status=400, says=str(error)).decode())
                if isinstance(error, DataError):
                    return await self.websocket.close(INVALID, "no order")

    async def _obey(self, order: Start | Command) -> None:
        """Do what the page says. SettingError where it cannot be done."""
        if isinstance(order, Start):
            loop = asyncio.get_running_loop()

            def say(data: bytes, is_frame: bool) -> None:
                with suppress(RuntimeError):  # the server has been stopped, and nobody listens any more
                    loop.call_soon_threadsafe(self._post, data, is_frame)

            self.training = await asyncio.to_thread(self.playground.start_run, order, say)
        elif self.training is None:
            raise SettingError("nothing is learning: start a run first")
        else:
            self.training.control.obey(order.type)

    def _post(self, data: bytes, is_frame: bool) -> None:
        if is_frame:
            self.outbox = [mail for mail in self.outbox if not mail[1]]
        self.outbox.append((data, is_frame))
        self.has_mail.set()

    async def _talk(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # the latter is Starlette's word for "closed meanwhile"
            while await self.has_mail.wait():
                self.has_mail.clear()
                while self.outbox:
                    data, is_frame = self.outbox.pop(0)
                    await (self.websocket.send_bytes(data) if is_frame else self.websocket.send_text(data.decode()))
