"""ES modules as one script, for a page that opens from disk, where no module may import another.

Every module becomes a function that is run once, those it imports before it, and returns what it exports. It reads the
few forms of `import` and `export` that the page's modules use, each at the beginning of a line, and refuses all others.
"""

import re
from collections.abc import Callable
from pathlib import PurePosixPath

from deltarule.errors import SettingError

IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w/.-]+)";\n?', re.M)
REEXPORT = re.compile(r'^export\s*\{([^}]*)\}\s*from\s*"\./([\w/.-]+)";\n?', re.M)
DECLARATION = re.compile(r"^export\s+((?:async\s+)?function\*?|class|const)\s+(\w+)", re.M)
UNREAD = re.compile(r"^(?:import|export)\b.*|\bimport\.meta\b.*", re.M)
INDENTATION = re.compile(r"^[ \t]+", re.M)
COMMENTS = re.compile(r"^[ \t]*//.*\n|^[ \t]*/\*\*[\s\S]*?\*/[ \t]*\n", re.M)


def bundle(entry: str, read: Callable[[str], str]) -> str:
    r"""One script that does what the module `entry` does, without comments and indentation.

    read: the text of a module by its name. `import("./name.js")` stays as it is: what loads a module later finds none.

    Raises SettingError for modules that import one another in a circle, and for imports and exports of another form.

    >>> modules = {"a.js": 'import { f } from "./b.js";\nf();\n', "b.js": "export const f = alert;\n"}
    >>> print(bundle("a.js", modules.__getitem__))
    const modules = {};
    modules["b.js"] = (() => {
    const f = alert;
    return { f };
    })();
    modules["a.js"] = (() => {
    const { f } = modules["b.js"];
    f();
    return {  };
    })();
    <BLANKLINE>
    """
    modules: dict[str, str] = {}
    _add(entry, read, modules, ())
    return "\n".join(["const modules = {};", *modules.values(), ""])


def _add(name: str, read: Callable[[str], str], modules: dict[str, str], path: tuple[str, ...]) -> None:
    """Add a module, as a function that is run at once, behind those that it imports."""
    if name in path:
        raise SettingError(f"modules must not import one another in a circle: got {' -> '.join([*path, name])}")
    if name in modules:
        return
    text = COMMENTS.sub("", read(name))
    if not any(line.count("`") % 2 for line in text.splitlines()):  # a template of several lines would change
        text = INDENTATION.sub("", text)

    def home(found: re.Match[str]) -> str:
        return str(PurePosixPath(name).parent / found[2])

    def binding(found: re.Match[str]) -> str:
        names = [inner if inner == outer else f"{inner}: {outer}" for inner, outer in _names(found[1])]
        return f'const {{ {", ".join(names)} }} = modules["{home(found)}"];\n'

    reexports = list(REEXPORT.finditer(text))
    for found in (*IMPORT.finditer(text), *reexports):
        _add(home(found), read, modules, (*path, name))
    exports = [found[2] for found in DECLARATION.finditer(text)]
    exports += [f'{outer}: modules["{home(each)}"].{inner}' for each in reexports for inner, outer in _names(each[1])]
    body = DECLARATION.sub(r"\1 \2", REEXPORT.sub("", IMPORT.sub(binding, text)))
    if unread := UNREAD.search(body):
        raise SettingError(
            f'expected  import {{ ... }} from "./name.js";  or  export function, class or const  in {name}: '
            f"got {unread[0]!r}"
        )
    modules[name] = f'modules["{name}"] = (() => {{\n{body.strip()}\nreturn {{ {", ".join(exports)} }};\n}})();'


def _names(text: str) -> list[tuple[str, str]]:
    """What stands between the braces, as pairs: the name there, the name here."""
    pairs = [part.strip().split(" as ") for part in text.split(",") if part.strip()]
    return [(pair[0].strip(), pair[-1].strip()) for pair in pairs]
