"""Print the template as CloudFormation receives it, as JSON. Runs where aws-sam-translator is installed."""

import json
import sys
from pathlib import Path

# Another environment's packages, of which the one that checks types knows nothing.
from samtranslator.parser.parser import Parser  # type: ignore[import-not-found]
from samtranslator.translator.translator import Translator  # type: ignore[import-not-found]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-not-found]

template = yaml_parse(Path(sys.argv[1]).read_text())
# What packaging does: local folders become places in a bucket.
template["Globals"]["Function"]["CodeUri"] = "s3://artifacts/functions"
for name, resource in template["Resources"].items():
    if "ContentUri" in resource["Properties"]:
        resource["Properties"]["ContentUri"] = f"s3://artifacts/{name}"
json.dump(Translator({}, Parser()).translate(template, {}), sys.stdout)
