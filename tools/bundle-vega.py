#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""One script out of the Vega modules that Debian's libjs-vega installs, for report pages that need no network.

Each module is kept as it is, wrapped in a function; a loader of a few lines runs it when it is first asked for and puts together
the object `vega` (parse, View, transforms, ...) that Vega's own bundle offers.

usage: bundle-vega.py FOLDER OUTPUT.js      (FOLDER: /usr/share/javascript/vega)
"""
import os
import re
import sys

MODULES = """util time statistics scale loader format expression event-selector dataflow canvas scenegraph selection
projection functions runtime parser transforms view-transforms encode view label regression""".split()
TRANSFORMS = ["vega-transforms", "vega-view-transforms", "vega-encode", "vega-label", "vega-regression"]
MISSING_OK = {"d3-geo-projection"}


def load(folder, name):
    path = os.path.join(folder, f"vega-{name}.min.js")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    return re.sub(r"//# sourceMappingURL=.*", "", text)


def bundle(folder):
    parts = ["var vega=(function(){'use strict';var source={},loaded={};",
             "function need(n){if(n==='vega-selections')n='vega-selection';if(loaded[n])return loaded[n].exports;",
             "if(!source[n])return {};var m=loaded[n]={exports:{}};source[n].call(globalThis,m.exports,need,m);return m.exports;}"]
    for name in MODULES:
        parts.append(f"source['vega-{name}']=function(exports,require,module){{{load(folder, name)}\n}};")
    names = ",".join(f"'vega-{n}'" for n in MODULES)
    extra = ",".join(f"'{t}'" for t in TRANSFORMS)
    parts.append(f"var vega={{}};[{names}].forEach(function(n){{var e=need(n);for(var k in e)if(!(k in vega))vega[k]=e[k];}});")
    parts.append("vega.transforms=need('vega-dataflow').transforms;")
    parts.append(f"[{extra}].forEach(function(n){{var e=need(n);for(var k in e)vega.transforms[k]=e[k];}});return vega;}})();")
    return "\n".join(parts)


if __name__ == "__main__":
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        out.write(bundle(sys.argv[1]))
