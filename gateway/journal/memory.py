"""What the public picture remembers beyond a day, as bytes, so that a snapshot can hold it.

The feed and the surveillance reports are plain objects of ``marketdata``. They are written node by
node, every attribute of every object: what somebody adds to them tomorrow is written too, or
refused by name. Reading fills objects that were just made; functions among their attributes stay
what they were. Only classes of the rooms below are ever made, and no code of a file is run.
"""

from __future__ import annotations

import sys
from collections import Counter, deque
from collections.abc import Callable
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import msgspec
import numpy as np
from sortedcontainers import SortedDict

ROOMS = ("marketdata.", "engine.")
PLAIN = (type(None), bool, int, float, str, bytes)
CALLABLE = (FunctionType, MethodType, BuiltinFunctionType)
DICTS = {"dict": dict, "Counter": Counter, "SortedDict": SortedDict}
AS_MADE = ["f"]  # a function: the new object has its own
MISSING = object()


def _class_name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _class_of(name: str) -> type:
    """Return a class of the rooms by name.

    Raises:
        ValueError: the name is not that of such a class.
    """
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(module) if f"{module}.".startswith(ROOMS) else None
    for part in path.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type):
        raise ValueError(f"{name} is no class that a snapshot may hold")
    return found


def _attributes(value: object) -> list[str]:
    """Return the names of everything an object holds."""
    names = list(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = getattr(kind, "__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    return [name for name in names if hasattr(value, name)]


class _Writer:
    """Numbers every object it meets: one that is shared stays shared."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self._seen: dict[int, int] = {}
        self._alive: list[Any] = []  # an id is unique while its object lives

    def write(self, value: Any) -> Any:
        """Return what stands for a value: itself, or [number of its node]."""
        if type(value) in PLAIN:
            return value
        if isinstance(value, CALLABLE):
            return AS_MADE
        number = self._seen.get(id(value))
        if number is None:
            number = self._seen[id(value)] = len(self.nodes)
            self._alive.append(value)
            self.nodes.append(None)
            self.nodes[number] = self._node(value)
        return [number]

    def _many(self, values: Any) -> list[Any]:
        return [self.write(value) for value in values]

    def _node(self, value: Any) -> list[Any]:
        kind = type(value)
        if isinstance(value, Enum):
            return ["enum", _class_name(kind), value.value]
        if kind.__name__ in DICTS and DICTS[kind.__name__] is kind:
            return ["dict", kind.__name__, self._many(value), self._many(value.values())]
        if kind in (list, set, frozenset, tuple):
            return [kind.__name__, self._many(value)]
        if kind is deque:
            return ["deque", value.maxlen, self._many(value)]
        if isinstance(value, np.ndarray):
            described = value.dtype.descr if value.dtype.names else value.dtype.str
            return ["array", described, list(value.shape), np.ascontiguousarray(value).tobytes()]
        name = _class_name(kind)
        _class_of(name)
        if isinstance(value, tuple):
            return ["value", name, self._many(value)]
        if isinstance(value, msgspec.Struct):
            return ["value", name, self._many(msgspec.structs.astuple(value))]
        names = _attributes(value)
        return ["object", name, names, [self.write(getattr(value, each)) for each in names]]


class _Reader:
    """Makes every node once, over what the new objects already have where there is something."""

    def __init__(self, nodes: list[Any]) -> None:
        self._nodes = nodes
        self._made: dict[int, Any] = {}

    def read(self, value: Any, fresh: Any = MISSING) -> Any:
        """Return the value, made over ``fresh`` if that is of the same kind and can change."""
        if type(value) in PLAIN:
            return value
        if value == AS_MADE:
            if fresh is MISSING:
                raise ValueError("a function where the new object has none")
            return fresh
        (number,) = value
        if number not in self._made:
            kind, *node = self._nodes[number]
            make: Callable[..., Any] = getattr(self, f"_{kind}")
            make(number, fresh, *node)
        return self._made[number]

    def _many(self, values: list[Any]) -> list[Any]:
        return [self.read(value) for value in values]

    def _enum(self, number: int, _: Any, name: str, value: Any) -> None:
        self._made[number] = _class_of(name)(value)

    def _dict(self, number: int, fresh: Any, name: str, keys: list[Any], values: list[Any]) -> None:
        kind = DICTS[name]
        made = self._made[number] = fresh if type(fresh) is kind else kind()
        before = dict(made)
        found = self._many(keys)
        made.clear()
        for key, value in zip(found, values, strict=True):
            made[key] = self.read(value, before.get(key, MISSING))

    def _list(self, number: int, fresh: Any, values: list[Any]) -> None:
        made = self._made[number] = fresh if type(fresh) is list else []
        before = [*made, *[MISSING] * len(values)]
        made[:] = [self.read(value, old) for value, old in zip(values, before, strict=False)]

    def _deque(self, number: int, _: Any, maxlen: int | None, values: list[Any]) -> None:
        made: deque[Any] = deque(maxlen=maxlen)
        self._made[number] = made
        made.extend(self._many(values))

    def _set(self, number: int, fresh: Any, values: list[Any]) -> None:
        made = self._made[number] = fresh if type(fresh) is set else set()
        made.clear()
        made.update(self._many(values))

    def _frozenset(self, number: int, _: Any, values: list[Any]) -> None:
        self._made[number] = frozenset(self._many(values))

    def _tuple(self, number: int, _: Any, values: list[Any]) -> None:
        self._made[number] = tuple(self._many(values))

    def _value(self, number: int, _: Any, name: str, values: list[Any]) -> None:
        kind, found = _class_of(name), self._many(values)
        if issubclass(kind, msgspec.Struct):
            self._made[number] = kind(**dict(zip(kind.__struct_fields__, found, strict=True)))
        else:
            self._made[number] = kind(*found)

    def _array(self, number: int, _: Any, described: Any, shape: list[int], data: bytes) -> None:
        kind = described if isinstance(described, str) else [tuple(each) for each in described]
        self._made[number] = np.frombuffer(data, np.dtype(kind)).reshape(shape).copy()

    def _object(
        self, number: int, fresh: Any, name: str, names: list[str], values: list[Any]
    ) -> None:
        kind = _class_of(name)
        made = self._made[number] = fresh if type(fresh) is kind else object.__new__(kind)
        for each, value in zip(names, values, strict=True):
            setattr(made, each, self.read(value, getattr(made, each, MISSING)))


def remember(*roots: object) -> bytes:
    """Return everything the objects hold, what they share kept shared.

    Raises:
        ValueError: something in them is of a class that a snapshot may not hold; names it.
    """
    writer = _Writer()
    found = [writer.write(root) for root in roots]
    return msgspec.msgpack.encode([found, writer.nodes])


def recall(data: bytes, *roots: object) -> None:
    """Fill objects that were made the same way with what ``remember`` returned.

    Raises:
        ValueError: the bytes are not those of such objects.
    """
    found, nodes = msgspec.msgpack.decode(data)
    reader = _Reader(nodes)
    for value, root in zip(found, roots, strict=True):
        assert reader.read(value, root) is root, "a root is filled, not made anew"
