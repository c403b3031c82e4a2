#!/bin/sh
# A Python client made by openapi-python-client 0.29.1 from `format: date-time` sends instants without an offset, which is no date-time:
# it takes any datetime, writes a naive one as it is, and warns of nothing. An amount is a float. datamodel-code-generator 0.89.0 makes
# of the same document a model that refuses a naive datetime.
set -eu
place=$(mktemp -d); trap 'rm -rf "$place"' EXIT; cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet openapi-python-client==0.29.1 datamodel-code-generator==0.89.0 pydantic==2.14.4
cat > order.yaml <<'YAML'
openapi: 3.1.0
info: {title: orders, version: "1"}
paths:
  /order:
    post:
      operationId: submit
      requestBody: {required: true, content: {application/json: {schema: {$ref: "#/components/schemas/Order"}}}}
      responses: {"204": {description: taken}}
components:
  schemas:
    Order:
      type: object
      required: [createdDate, total]
      properties: {createdDate: {type: string, format: date-time}, total: {type: number}}
YAML
PATH="$PWD/venv/bin:$PATH" openapi-python-client generate --path order.yaml --output-path client >generated.log 2>&1 || cat generated.log
venv/bin/datamodel-codegen --input order.yaml --input-file-type openapi --output model.py \
  --output-model-type pydantic_v2.BaseModel >modelled.log 2>&1
cat > send.py <<'PY'
import sys
from datetime import datetime

sys.path.insert(0, "client")
from orders_client.models import Order
from model import Order as Model
from pydantic import ValidationError

noon = datetime(2025, 5, 9, 12)
print("openapi-python-client sends:", Order(created_date=noon, total=203.63).to_dict())
try:
    Model(createdDate=noon, total=203.63)
except ValidationError as error:
    print("datamodel-code-generator says:", error.errors()[0]["type"])
PY
venv/bin/python send.py | tee seen
diff seen - <<'SEEN'
openapi-python-client sends: {'createdDate': '2025-05-09T12:00:00', 'total': 203.63}
datamodel-code-generator says: timezone_aware
SEEN
