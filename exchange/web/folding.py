"""What is the same at every rendering is written into the compiled page once.

There is one environment per language, so a text without placeholders and the address of a static file are known when
the template is compiled. A page of the market holds some sixty of them; each would cost a few microseconds of calls,
together more than the figures they stand beside.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from jinja2 import nodes
from jinja2.compiler import CodeGenerator
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

Known = Mapping[str, Callable[[str], str]]


def folding(known: Known) -> type[CodeGenerator]:
    """Jinja's compiler, which first replaces calls like ``_("Save")`` by their value.

    ``known`` maps a function's name in templates to what it answers for one constant text without placeholders; a
    Markup answer stays safe from escaping.
    """

    class Folding(CodeGenerator):
        fold: ClassVar = _Fold(known)

        def visit_Template(self, node: nodes.Template, frame: Any = None) -> None:  # noqa: N802  Jinja's name
            super().visit_Template(self.fold.visit(node), frame)

    return Folding


class _Fold(NodeTransformer):
    def __init__(self, known: Known) -> None:
        self.known = known

    def visit_Call(self, node: nodes.Call, *args: Any, **kwargs: Any) -> nodes.Node:  # noqa: N802  Jinja's name
        match node:
            case nodes.Call(
                node=nodes.Name(name=name),
                args=[nodes.Const(value=str(key))],
                kwargs=[],
                dyn_args=None,
                dyn_kwargs=None,
            ) if name in self.known and "%" not in key:
                value = self.known[name](key)
                constant = nodes.Const(str(value), lineno=node.lineno)
                return nodes.MarkSafe(constant, lineno=node.lineno) if isinstance(value, Markup) else constant
        return self.generic_visit(node, *args, **kwargs)

    def visit_Concat(self, node: nodes.Concat, *args: Any, **kwargs: Any) -> nodes.Node:  # noqa: N802  Jinja's name
        """Left as it is: Jinja's optimizer joins constants into a plain text that forgets that it was safe."""
        return node
