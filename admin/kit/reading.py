"""What code reads of a row: what its name, or a computed column, is made of.

A name that is made of what somebody may not see must not be shown to them, and nobody calls a row
by a sensitive value. Which attributes a function reads is told by the names in its code, so that
no branch of it is missed; where that can't be known, it counts as reading all of them.
"""

from __future__ import annotations

import dis
import inspect
import sys
from contextvars import ContextVar
from functools import cache, cached_property, lru_cache, partial
from itertools import pairwise
from types import CodeType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect as inspected
from sqlalchemy.ext.hybrid import hybrid_method, hybrid_property
from sqlalchemy.orm import ColumnProperty, Mapper, RelationshipProperty

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    # An attribute of a model.
    Attribute = tuple[type, str]

ANYTHING = "*"
# By these, code reads attributes without naming them.
READ_ANY = {"__dict__", "vars", "getattr", "attrgetter", "asdict", "astuple", "__table__", "eval"}
DEEPEST = 5
# By these, code sees an object that it doesn't load; what is loaded otherwise counts as given away.
SEE_ALL = {"super", "locals", "vars", "eval", "exec", "_getframe"}
LOADS = {"LOAD_FAST", "LOAD_FAST_BORROW"}

nameless: ContextVar[frozenset[type]] = ContextVar("nameless", default=frozenset())


def may_be_called(model: Any) -> bool:
    """Say whether who asks may see what objects of a model call themselves."""
    return model not in nameless.get() and not is_called_by_secrets(model)


@lru_cache(maxsize=4096)
def is_sensitive(mapper: Mapper[Any], path: str) -> bool:
    """Say whether the column at a dotted path is marked by `info={"sensitive": True}`."""
    name, _, rest = path.partition(".")
    prop = mapper.attrs.get(name)
    if isinstance(prop, RelationshipProperty):
        return bool(rest) and is_sensitive(prop.mapper, rest)
    return isinstance(prop, ColumnProperty) and bool(prop.columns[0].info.get("sensitive"))


@cache
def sensitive_attributes(model: type) -> frozenset[Attribute]:
    """Return the sensitive columns of a model, and of all that it is related to."""
    mapper: Mapper[Any] = inspected(model)
    return frozenset(
        (each.class_, prop.key)
        for each in related_mappers(mapper)
        for prop in each.column_attrs
        if is_sensitive(each, prop.key)
    )


@cache
def related_mappers(mapper: Mapper[Any]) -> frozenset[Mapper[Any]]:
    """Return the mapper, and those that relations lead to from it, however far."""
    found, ahead = {mapper}, [mapper]
    while ahead:
        more = {prop.mapper for prop in ahead.pop().relationships} - found
        found |= more
        ahead += more
    return frozenset(found)


def is_called_by_secrets(model: Any) -> bool:
    """Say whether a model's objects call themselves by something sensitive."""
    return find_secrets(model)


@cache
def find_secrets(model: Any) -> bool:
    mapper = inspected(model, raiseerr=False)
    if not isinstance(mapper, Mapper):
        return False
    withheld = sensitive_attributes(model)
    return bool(withheld) and reads(mapper, naming_function(model), withheld)


def naming_function(model: type) -> Any:
    """Return what makes the name of an object."""
    named: Any = model.__str__
    return model.__repr__ if named is object.__str__ else named


@cache
def name_columns(mapper: Mapper[Any]) -> frozenset[str] | None:
    """Return the columns that objects make their names of; None where it may take the object."""
    model: Any = mapper.class_
    names = attributes_read(model.__str__)
    is_one_kind = mapper.inherits is None and len(list(mapper.self_and_descendants)) == 1
    is_plain = is_one_kind and model.__getattribute__ is object.__getattribute__
    is_known = names is not None and is_plain and names <= set(mapper.column_attrs.keys())
    return names if is_known else None


def attributes_read(function: Any) -> frozenset[str] | None:
    """Return the attributes that a method reads of its object, if it does nothing else with it."""
    if not isinstance(function, FunctionType) or function.__closure__:
        return None
    code = function.__code__
    is_plain = code.co_argcount == 1 and not code.co_cellvars and SEE_ALL.isdisjoint(code.co_names)
    if not is_plain:
        return None
    found, own = set(), code.co_varnames[0]
    for step, after in pairwise(dis.get_instructions(code)):
        if step.argval == own or (isinstance(step.argval, tuple) and own in step.argval):
            if step.opname not in LOADS or after.opname != "LOAD_ATTR":
                return None
            found.add(after.argval)
    return frozenset(found)


def reads(
    mapper: Mapper[Any],
    function: Any,
    withheld: Iterable[Attribute],
    limited: frozenset[type] = frozenset(),
    seen: frozenset[Any] = frozenset(),
) -> bool:
    """Say whether a function of an object reads something withheld, or of a row that may be.

    `limited` are the models of which not all rows may be seen.
    """
    model: Any = mapper.class_
    names, attributes = names_read(model, function), set(withheld)
    own = {name for other, name in attributes if other is model}
    if ANYTHING in names:
        return bool(attributes or limited)
    if names & own:
        return True
    relations = [r for r in mapper.relationships if r.key in names and r.key not in seen]
    return any(reads_of(r, names, attributes, limited, seen) for r in relations)


def reads_of(
    relation: RelationshipProperty[Any],
    names: frozenset[str],
    withheld: set[Attribute],
    limited: frozenset[type],
    seen: frozenset[Any],
) -> bool:
    """Say the same of what is read of a related object: its name, for one."""
    target = relation.mapper.class_
    if target in limited or any((target, name) in withheld for name in names):
        return True
    deeper = seen | {relation.key}
    return len(deeper) > DEEPEST or reads(
        relation.mapper, naming_function(target), withheld, limited, deeper
    )


@cache
def names_read(model: type, function: Any, depth: int = DEEPEST) -> frozenset[str]:
    """Return the names in the code of a function, and of all of the model's that it may call."""
    function = plain(function)
    if function in (object.__repr__, object.__str__):
        return frozenset()
    if not isinstance(function, FunctionType) or not depth:
        return frozenset({ANYTHING})
    names = set(names_in(function.__code__))
    if names & READ_ANY:
        return frozenset({ANYTHING})
    called = [function.__globals__.get(name) for name in names]
    called += [cell.cell_contents for cell in function.__closure__ or () if is_filled(cell)]
    called += [inspect.getattr_static(model, name, None) for name in names]
    for other in map(plain, called):
        if isinstance(other, FunctionType) and is_near(other, function):
            names |= names_read(model, other, depth - 1)
    return frozenset(names)


def names_in(code: CodeType) -> Iterator[str]:
    """Yield the names and the texts in some code, and in functions within it."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, CodeType):
            yield from names_in(constant)


def is_near(other: FunctionType, function: FunctionType) -> bool:
    """Say whether a function is the application's: what libraries read is what they are given."""
    is_library = other.__module__.partition(".")[0] in sys.stdlib_module_names
    is_installed = "site-packages" in other.__code__.co_filename
    return not (other is function or is_library or is_installed or is_kits(other.__module__))


def is_kits(module: str) -> bool:
    return module.startswith(f"{__name__.rpartition('.')[0]}.")


def plain(member: Any) -> Any:
    """Return the function within a property, a method or a partial."""
    for _ in range(DEEPEST):
        if isinstance(member, property | hybrid_property):
            member = member.fget
        elif isinstance(member, hybrid_method | cached_property | partial):
            member = member.func
        elif isinstance(member, staticmethod | classmethod | MethodType):
            member = member.__func__
        elif hasattr(member, "__wrapped__"):
            member = member.__wrapped__
        else:
            break
    return member


def is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False
