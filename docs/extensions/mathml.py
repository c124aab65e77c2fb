"""Formulas as MathML, by docutils: browsers draw them without scripts, fonts or a network."""

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


def _visit(as_block):
    def visit(translator, node):
        try:
            formula = tex2mathml(node.astext(), as_block=as_block)
        except MathError as error:
            LOGGER.warning("a formula that docutils can't read: %s", error, location=node)
        else:
            translator.body.append(f'<div class="math">{formula}</div>' if as_block else formula)
        raise nodes.SkipNode

    return visit


def setup(app):
    app.add_html_math_renderer("mathml", (_visit(False), None), (_visit(True), None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
