"""Android's public API, read from the declarations of npm's @nativescript/types-android.

They are written for TypeScript: all of Java's numbers are ``number`` there, so an int can't be told
from a float; all else, names, classes, static or not, values of constants, and since when there is
such a thing, they tell.
"""

import re
from typing import NamedTuple

import class_file
from java_tools import DEMO

FILE = (
    DEMO
    / "build/android-api/node_modules/@nativescript/types-android/lib/android"
    / "android-platform-21-37-merged.d.ts"
)
OLDEST = 21  # what carries no number is at least as old
_MODULE = re.compile(r"(?:declare|export) module (\S+) \{$")
_CLASS = re.compile(r"export (?:abstract )?(?:class|interface) ([\w$]+)(.*) \{$")
_MEMBER = re.compile(r"public (static )?([\w$]+)(\??)([(:].*);$")
_SINCE = re.compile(r"@since (\d+)")
_TEXTS = {"java.lang.String", "java.lang.CharSequence", "char"}
_PRIMITIVES = {
    **dict.fromkeys("BSIJFD", "number"),
    "Z": "boolean",
    "C": "string",
    "V": "void",
}


class ApiMember(NamedTuple):
    static: bool
    parameters: tuple  # None: a field
    result: str
    since: int


class ApiClass(NamedTuple):
    parents: list
    members: dict  # name -> list of ApiMember
    since: int


def read(path):
    """Class name, all with dots -> :class:`ApiClass`."""
    classes, stack, since, inside = {}, [], OLDEST, False
    for line in path.read_text().splitlines():
        line = line.strip()
        if line.startswith(("/*", "*")):
            if found := _SINCE.search(line):
                since = int(found[1])
            continue
        if inside:  # of a constructor that takes an object with all of an interface's methods
            inside = not line.startswith("}")
            continue
        if line == "}":
            stack.pop()
        elif found := _MODULE.match(line):
            stack.append(((f"{stack[-1][0]}." if stack else "") + found[1], None))
        elif found := _CLASS.match(line):
            name = f"{stack[-1][0]}.{found[1]}"
            current = ApiClass(_parents(found[2]), {}, since)
            classes[name] = current
            stack.append((name, current))
        elif line.startswith("public constructor(implementation: {"):
            inside = True
        elif stack and stack[-1][1] and (found := _MEMBER.match(line)):
            name, member = found[2], _member(bool(found[1]), found[4], since)
            stack[-1][1].members.setdefault(name, []).append(member)
        since = OLDEST
    return classes


def _parents(text):
    text = re.sub(r"\b(extends|implements)\b", ",", _without_generics(text))
    return [part.strip() for part in text.split(",") if part.strip()]


def _member(static, text, since):
    if text.startswith(":"):
        return ApiMember(static, None, _plain(text[1:]), since)
    inside, _, result = text[1:].rpartition(")")
    parameters = [_plain(part.partition(":")[2]) for part in _split(inside)]
    return ApiMember(static, tuple(parameters), _plain(result.lstrip(": ")), since)


def _split(text):
    """At the commas that are in no brackets."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter in "<{([") - (letter in ">})]")
        if letter == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [part for part in [*parts, text[start:]] if part.strip()]


def _plain(kind):
    """A type without generics, null and remarks; X[] for an array."""
    kind = re.sub(r"/\*.*?\*/", "", kind).replace("| null", "").strip()
    if found := re.match(r"androidNative\.Array<(.*)>$", kind):
        return _plain(found[1]) + "[]"
    return _without_generics(kind).strip()


def _without_generics(text):
    while "<" in text:
        shorter = re.sub(r"<[^<>]*>", "", text)
        if shorter == text:
            break
        text = shorter
    return text


def in_typescript(descriptor):
    """A JVM type as these declarations write it."""
    if descriptor[0] == "[":
        return in_typescript(descriptor[1:]) + "[]"
    if descriptor[0] != "L":
        return _PRIMITIVES[descriptor]
    name = descriptor[1:-1].replace("/", ".").replace("$", ".")
    return "string" if name in _TEXTS else "any" if name == "java.lang.Object" else name


def ancestors(api, name):
    """The names of all classes and interfaces that a class is, without its own."""
    seen, todo = {"java.lang.Object"}, [name.replace("$", ".")]
    while todo:
        new = set(api[todo.pop()].parents) - seen
        seen |= new
        todo += [parent for parent in new if parent in api]
    return seen


def find(api, member):
    """All members of the API that a reference may mean: those of the class and its parents."""
    owner = member.owner.replace("$", ".")
    if owner not in api:
        return []
    constructor = member.name == "<init>"  # which is no parent's
    found = []
    for name in {owner} if constructor else {owner, *ancestors(api, owner)}:
        kind = api.get(name, ApiClass([], {}, OLDEST))
        for candidate in kind.members.get("constructor" if constructor else member.name, []):
            if _fits(member, candidate):
                found.append(candidate._replace(since=max(candidate.since, kind.since)))
    return found


def _fits(member, candidate):
    if not member.descriptor.startswith("("):
        return candidate.parameters is None and _same(member.descriptor, candidate.result)
    if candidate.parameters is None:
        return False
    parameters, result = class_file.split(member.descriptor)
    # A nested class that is not static has its outer object as a first parameter: none is used.
    return (
        len(parameters) == len(candidate.parameters)
        and all(map(_same, parameters, candidate.parameters))
        and (member.name == "<init>" or _same(result, candidate.result))
    )


def _same(descriptor, declared):
    ours = in_typescript(descriptor)
    if declared in ("any", ours):
        return True
    if declared == "any[]" and ours.endswith("[]"):
        return True
    literal = re.match(r'-?\d|"', declared)  # a constant's value in place of its type
    if literal:
        return ours == ("string" if literal[0] == '"' else "number")
    # A variable of generics, of one letter or a few, is erased to Object in a class file.
    return ours == "any" or (ours.endswith("[]") and re.match(r"[A-Z]\w?\[\]$", declared))
