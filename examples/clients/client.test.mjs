// The client's tests: `node --test examples/clients`.
import assert from "node:assert/strict";
import test from "node:test";

import { Koncili, Refused } from "./client.mjs";
import { konciliMock } from "./koncili-mock.mjs";

const MOCK = { email: "integrator@mock.koncili.example", password: "mock-password",
  integrator: "3f0e0f64-8c55-4a7e-9d7e-2f1f0a4c9a11", timeout: 20000 };
const [BEGIN, END] = ["2026-02-14T12:00:00Z", "2026-02-14T13:00:00Z"];

const order = (marketplaceCode) => ({ marketplaceCode, channelName: "CHANNEL_NAME", accountId: 19055, status: "INVOICED",
  createdDate: "2026-02-10T09:00:00-03:00", totalGrossValue: 203.63,
  extracts: [{ marketplaceCode, type: "SALE", value: 203.63 }, { marketplaceCode, type: "COMISSION", value: -24.44 }] });

test("orders are settled, and two failures are overcome", async () => {
  const mock = await konciliMock();
  const client = new Koncili({ baseUrl: mock.baseUrl, ...MOCK });
  await mock.command({ faults: [{ fault: "502", call: "POST /order", times: 2 }] });
  await client.settle([order("A"), order("B")], BEGIN, END);
  await mock.command({ advanceSeconds: 2 });
  const { orders } = await mock.ask("?state=1");
  assert.deepEqual(orders.map((one) => [one.marketplaceCode, one.reconciled]), [["A", true], ["B", true]]);
  await assert.rejects(client.submit({ ...order("C"), status: "CANCELED" }), Refused);
  const { violations } = await mock.ask("/violations");
  assert.deepEqual(violations.map((one) => one.violations[0].pointer), ["/cancelDate"]);
  assert.equal((await mock.stop()).code, 0);
});

test("whatever is lost, each order is paid once", async () => {
  const mock = await konciliMock("--certify-client");
  const client = new Koncili({ baseUrl: mock.baseUrl, ...MOCK });
  await client.settle(Array.from({ length: 10 }, (_, number) => order(`A-${number}`)), BEGIN, END);
  const { code, lines } = await mock.stop();
  assert.equal(code, 0, lines.join("\n"));
  assert.match(lines.at(-1), /^exactly once: 10 paid once/);
});

test("a client that does not ask pays twice", async () => {
  const mock = await konciliMock("--certify-client");
  const careless = new Koncili({ baseUrl: mock.baseUrl, ...MOCK });
  careless.order = async () => null;
  await careless.settle([order("A")], BEGIN, END);
  const { code, lines } = await mock.stop();
  assert.equal(code, 1);
  assert.ok(lines.some((line) => line.startsWith("A (19055, CHANNEL_NAME): PAID TWICE")), lines.join("\n"));
});
