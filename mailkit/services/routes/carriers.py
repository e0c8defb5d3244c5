"""Carriers of all routes, each made when the first item needs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from attrs import define, field
from zope.interface import implementer

from mailkit.errors import Refused, Unavailable
from mailkit.interfaces.queue import Carried, ICarrier, IRouteEnd
from mailkit.interfaces.storage import IContent
from mailkit.metrics import Metrics
from mailkit.model.queueitem import Fate, QueueItem
from mailkit.model.target import Target
from mailkit.services.routes.book import RouteBook
from mailkit.services.routes.route import kind_of

Make = Callable[[Target], IRouteEnd]

_OUTCOMES = {Fate.WAITING: "deferred", Fate.FAILED: "bounced"}


@define(eq=False)
class _Made:
    target: Target
    end: IRouteEnd
    running: int = 0
    is_old: bool = False


@implementer(ICarrier)
@define(eq=False)
class RouteCarrier:
    """Hands items on by the route of one name, as it stands at that time."""

    _name: str
    _ends: RouteEnds
    is_final: bool = False
    """As of the last item that was carried."""

    async def carry(self, item: QueueItem, content: IContent) -> Carried:
        end = await self._ends.of(self._name)
        self.is_final = end.end.is_final
        return await self._ends.use(end, item, content)


@define(eq=False)
class RouteEnds:
    """
    The ends of routes by name, with the connections that they hold on to.

    One whose route was changed is closed when nothing is on its way by it.
    """

    _book: RouteBook
    _make: Make
    _metrics: Metrics = field(factory=Metrics)
    _made: dict[str, _Made] = field(init=False, factory=dict)

    async def of(self, name: str) -> _Made:
        """:raises Unavailable: if there is no such route."""
        route = await self._book.route(name)
        made = self._made.get(name)
        if made is not None and (route is None or route.target != made.target):
            del self._made[name]
            made.is_old = True
            if not made.running:
                await made.end.close()
            made = None
        if route is None:
            raise Unavailable(f"there is no route {name} any more")
        if made is None:
            made = self._made[name] = _Made(route.target, self._make(route.target))
        return made

    async def use(self, made: _Made, item: QueueItem, content: IContent) -> Carried:
        """Carry one item."""
        made.running += 1
        try:
            carried: Carried = await made.end.carry(item, content)
        except (Refused, Unavailable) as error:
            outcome = "bounced" if isinstance(error, Refused) else "unavailable"
            self._metrics.routed(kind_of(made.target), outcome, 1)
            raise
        else:
            self._count(made, carried)
            return carried
        finally:
            made.running -= 1
            if made.is_old and not made.running:
                await made.end.close()

    def _count(self, made: _Made, carried: Carried) -> None:
        for fate, count in Counter(one.fate for one in carried.reports).items():
            outcome = _OUTCOMES.get(fate, "taken")
            self._metrics.routed(kind_of(made.target), outcome, count)

    async def close(self) -> None:
        """Let go of all connections."""
        made, self._made = list(self._made.values()), {}
        for one in made:
            await one.end.close()


@define(eq=False)
class Ways(Mapping[str, ICarrier]):
    """
    Carriers by `NextHop.route`, as the sender looks them up.

    :param own: those that are no routes of an administrator's.
    """

    _own: Mapping[str, ICarrier]
    ends: RouteEnds

    def __getitem__(self, name: str) -> ICarrier:
        """Any name may be that of a route; who carries by it sees."""
        return self._own.get(name) or RouteCarrier(name, self.ends)

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)
