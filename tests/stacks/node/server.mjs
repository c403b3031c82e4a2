// Koncili as an ordinary team would build it on Express and SQLite, from the documents alone. Each name in FAULTS (an environment
// variable, separated by commas) takes one piece of care out, as this stack makes it easy to forget.
import { randomBytes } from "node:crypto";
import express from "express";
import Database from "better-sqlite3";

const world = JSON.parse(process.env.KONCILI_WORLD);
const faults = new Set((process.env.FAULTS ?? "").split(",").filter(Boolean));
const has = (name) => faults.has(name);

const STATUSES = ["INVOICED", "PAID_WAITING_DELIVERY", "CONCLUDED", "CANCELED"];
const ORDER_TYPES = ["SALE", "COMISSION", "SHIP"];
const ENTRY_TYPES = [...ORDER_TYPES, "RETURN_COMISSION", "RETURN_SHIP"];
const SIGNS = { SALE: 1, COMISSION: -1, RETURN_COMISSION: 1 };
const NEEDED = {
  INVOICED: [],
  PAID_WAITING_DELIVERY: ["sendDate", "estimatedDeliveryDate"],
  CONCLUDED: ["sendDate", "estimatedDeliveryDate", "deliveryDate"],
  CANCELED: ["cancelDate"],
};
const BEFORE = [
  ["createdDate", "approvedDate"], ["createdDate", "sendDate"], ["createdDate", "deliveryDate"], ["createdDate", "cancelDate"],
  ["createdDate", "estimatedDeliveryDate"], ["approvedDate", "sendDate"], ["approvedDate", "deliveryDate"],
  ["approvedDate", "estimatedDeliveryDate"], ["sendDate", "deliveryDate"], ["sendDate", "estimatedDeliveryDate"],
];
const DATES = ["createdDate", "approvedDate", "sendDate", "estimatedDeliveryDate", "deliveryDate", "cancelDate"];

const db = new Database(":memory:");
const collation = has("nocase-column") ? "COLLATE NOCASE" : "";
const affinity = has("numeric-column") ? "NUMERIC" : "TEXT";
db.exec(`
  CREATE TABLE orders (
    account INTEGER, code ${affinity} ${collation}, body TEXT, deleted INTEGER DEFAULT 0, reconciled INTEGER DEFAULT 0,
    UNIQUE (account, code)
  );
  CREATE TABLE reconciliations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, account INTEGER, init REAL, finish REAL, quantity INTEGER,
    active INTEGER DEFAULT 1 ${has("unlocked-overlap") ? ", UNIQUE (account, init, finish)" : ""}
  );
  CREATE TABLE releases (
    reconciliation INTEGER, account INTEGER, code TEXT, entries INTEGER
    ${has("unlocked-release") ? "" : ", UNIQUE (account, code)"}
  );
  CREATE TABLE extracts (account INTEGER, code TEXT, entry TEXT);
`);
// Whatever else is asked for between looking and writing: from here to there other requests have their turn.
const elsewhere = () => new Promise((resolve) => setTimeout(resolve, 5));

class Refusal extends Error {
  constructor(status, message, code = `${status}`, source = null) {
    super(message);
    Object.assign(this, { status, code, source });
  }
}
const refuse = (field, what = "is invalid") => {
  throw new Refusal(400, `${field} ${what}`, "400-0", field);
};

// -- fields ----------------------------------------------------------------------------------------------------------------

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?([Zz]|[+-]\d\d:?\d\d)$/;

function instant(value, field) {
  if (has("new-date")) {
    const read = new Date(value); // takes whatever the engine takes: dates alone, without offset, the 30th of February
    return Number.isNaN(read.getTime()) ? refuse(field) : read.getTime();
  }
  const parts = typeof value === "string" ? INSTANT.exec(value) : null;
  if (!parts) refuse(field, "is no instant such as 2025-05-09T09:00:00-03:00");
  const [, year, month, day, hour, minute, second] = parts.map(Number);
  const real = new Date(Date.UTC(year, month - 1, day));
  if (real.getUTCMonth() !== month - 1 || real.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) refuse(field);
  const read = Date.parse(value.toUpperCase().replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
  return Number.isNaN(read) ? refuse(field) : read;
}

function amount(value, field) {
  const read = has("number-of-text") ? Number(value) : value;
  if (typeof read !== "number" || !Number.isFinite(read) || typeof value === "boolean" || value === null) refuse(field);
  return read;
}

function code(value, field = "marketplaceCode") {
  if (has("number-as-code") && typeof value === "number") value = String(value);
  if (typeof value !== "string" || !value.trim()) refuse(field);
  return has("substr-20") ? value.slice(0, 20) : value;
}

function place(channel, account) {
  let id = account;
  if (has("parse-int")) id = parseInt(account, 10);
  else if (typeof account === "string" && /^\d+$/.test(account)) id = Number(account);
  if (!Number.isSafeInteger(id)) refuse("accountId");
  if (has("int-32")) id |= 0;
  if (typeof channel !== "string" || !channel) refuse("channelName");
  const known = world.accounts.find((each) => each.id === id);
  if (!known) throw new Refusal(404, `Account ${id} not found`, "404-1", "accountId");
  if (!world.channels.includes(channel)) throw new Refusal(404, `Channel ${channel} not found`, "404-2", "channelName");
  if (known.channel !== channel) throw new Refusal(403, `Account ${id} is not authorised on ${channel}`, "403-2", "channelName");
  if (known.state === "inactive") throw new Refusal(403, `Account ${id} is inactive`, "403-1", "accountId");
  if (known.state === "disabled") throw new Refusal(400, `Account ${id} does not support API import`, "400-2", "accountId");
  return id;
}

function entries(list, field, types, own) {
  if (!Array.isArray(list) && !has("map-of-anything")) refuse(field);
  if (list.length === 0) refuse(field, "is empty");
  return list.map((entry) => {
    if (!isObject(entry)) refuse(field);
    const type = has("types-in-any-case") ? String(entry.type).toUpperCase() : entry.type;
    if (!types.includes(type)) refuse("type", "is unknown");
    const value = amount(entry.value, "value");
    const cents = Math.round(value * 100);
    if (!has("no-signs") && SIGNS[type] && Math.sign(cents) !== SIGNS[type]) refuse("value", `contradicts ${type}`);
    if (code(entry.marketplaceCode) !== own) refuse("marketplaceCode", "differs from the order's");
    if (entry.expectedDate !== undefined && entry.expectedDate !== null) instant(entry.expectedDate, "expectedDate");
    if (entry.percentage !== undefined && entry.percentage !== null) amount(entry.percentage, "percentage");
    return { type, cents };
  });
}

// -- orders ------------------------------------------------------------------------------------------------------------

const find = (account, own) => db.prepare("SELECT * FROM orders WHERE account = ? AND code = ? AND deleted = 0").get(account, own);

async function submitOrder(request, response) {
  const body = request.body;
  if (!isObject(body)) refuse("body", "is no object");
  const account = place(body.channelName, body.accountId);
  const own = code(body.marketplaceCode);
  const status = has("status-in-any-case") ? String(body.status).toUpperCase() : body.status;
  if (!STATUSES.includes(status)) refuse("status", "is unknown");
  const before = find(account, own);
  const stored = has("merged-update") && before ? { ...JSON.parse(before.body), ...body } : body;
  if (has("stored-before-checked")) store(account, own, stored);
  const at = {};
  for (const name of DATES) if (body[name] !== undefined && body[name] !== null) at[name] = instant(body[name], name);
  if (!has("no-needed-dates")) for (const name of NEEDED[status]) if (at[name] === undefined) refuse(name, `is needed by ${status}`);
  for (const [early, late] of BEFORE) {
    const compared = has("dates-as-text") ? body[early] > body[late] : at[early] > at[late];
    if (at[early] !== undefined && at[late] !== undefined && compared) {
      throw new Refusal(400, `${late} lies before ${early}`, "400-3", late);
    }
  }
  if (body.totalGrossValue !== undefined && body.totalGrossValue !== null) amount(body.totalGrossValue, "totalGrossValue");
  else if (body.totalGrossValue === null) refuse("totalGrossValue");
  entries(body.extracts, "extracts", ORDER_TYPES, own);
  store(account, own, stored);
  if (has("extracts-in-a-table")) {
    db.prepare("DELETE FROM extracts WHERE account = ? AND code = ?").run(account, own);
    await elsewhere();
    for (const entry of body.extracts) {
      db.prepare("INSERT INTO extracts VALUES (?, ?, ?)").run(account, own, JSON.stringify(entry));
    }
  }
  response.json({ message: "Order received" });
}

function store(account, own, body) {
  const text = JSON.stringify(body);
  const there = has("soft-delete") || has("soft-delete-dropped") ? find(account, own) : db.prepare("SELECT * FROM orders WHERE account = ? AND code = ?").get(account, own);
  if (has("soft-delete-dropped")) {
    db.prepare("INSERT INTO orders (account, code, body) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body").run(account, own, text);
  } else if (!there) {
    db.prepare("INSERT INTO orders (account, code, body) VALUES (?, ?, ?)").run(account, own, text);
  } else if (!has("insert-or-ignore")) {
    db.prepare("UPDATE orders SET body = ? WHERE account = ? AND code = ?").run(text, account, own);
  }
}

function asked(request) {
  const { marketplaceCode, channelName, accountId } = request.query;
  if (has("empty-account-crashes") && accountId === "") return [{}.id.toString(), marketplaceCode];
  const account = place(channelName, accountId);
  const own = code(marketplaceCode);
  const order = find(account, own);
  if (!order) throw new Refusal(404, `Order ${own} not found`, "404-3", "marketplaceCode");
  return [account, own, order];
}

function getOrder(request, response) {
  const [account, own, order] = asked(request);
  const shown = JSON.parse(order.body);
  if (has("extracts-in-a-table")) {
    const rows = db.prepare("SELECT entry FROM extracts WHERE account = ? AND code = ?").all(account, own);
    shown.extracts = rows.map(({ entry }) => JSON.parse(entry));
  }
  response.json(shown);
}

function deleteOrder(request, response) {
  const [account, own, order] = asked(request);
  if (JSON.parse(order.body).foreign) throw new Refusal(400, "The order did not come through the API");
  if (order.reconciled && !has("deletes-reconciled")) throw new Refusal(400, "The order is reconciled");
  const soft = has("soft-delete") || has("soft-delete-dropped");
  db.prepare(soft ? "UPDATE orders SET deleted = 1 WHERE account = ? AND code = ?" : "DELETE FROM orders WHERE account = ? AND code = ?").run(account, own);
  response.json({ message: "Order removed" });
}

// -- reconciliations -----------------------------------------------------------------------------------------------------

async function createReconciliation(request, response) {
  const body = request.body;
  if (!isObject(body)) refuse("body", "is no object");
  const account = place(body.channelName, body.accountId);
  const init = instant(body.periodInitDate, "periodInitDate");
  const finish = instant(body.periodEndDate, "periodEndDate");
  if (has("periods-as-text") ? body.periodInitDate >= body.periodEndDate : init >= finish) refuse("periodEndDate", "is not after periodInitDate");
  const quantity = has("number-of-quantity") ? Number(body.releasesQtd) : body.releasesQtd;
  if (!(has("number-of-quantity") ? quantity > 0 : Number.isSafeInteger(quantity) && quantity > 0)) refuse("releasesQtd");
  if (body.totalNetValue !== undefined) amount(body.totalNetValue, "totalNetValue");
  const known = () => db.prepare("SELECT * FROM reconciliations WHERE account = ?").all(account);
  const before = known();
  if (has("await-before-write") || has("unlocked-overlap") || has("unlocked-active")) await elsewhere();
  const now = known();
  const others = has("await-before-write") || has("unlocked-overlap") ? before : now;
  const active = has("unlocked-active") ? before : others;
  if (!has("several-active") && active.some((each) => each.active)) throw new Refusal(400, "A reconciliation is active");
  const meets = has("start-inside-only")
    ? (each) => init >= each.init && init < each.finish
    : (each) => init < each.finish && each.init < finish;
  if (others.some(meets)) throw new Refusal(400, "The period overlaps an earlier one", "400", "periodInitDate");
  const { lastInsertRowid } = unique(
    () =>
      db
        .prepare("INSERT INTO reconciliations (account, init, finish, quantity) VALUES (?, ?, ?, ?)")
        .run(account, init, finish, quantity),
    "The period was registered before",
  );
  response.status(201).json({ id: Number(lastInsertRowid) });
}

function unique(write, otherwise) {
  try {
    return write();
  } catch (error) {
    if (error.code === "SQLITE_CONSTRAINT_UNIQUE") throw new Refusal(400, otherwise);
    throw error;
  }
}

const COMPARED = {
  "compared-by-sums": (list) => [...list.reduce((sums, { type, cents }) => sums.set(type, (sums.get(type) ?? 0) + cents), new Map())].sort(),
  "compared-as-set": (list) => [...new Set(list.map(({ type, cents }) => `${type} ${cents}`))].sort(),
  "compared-as-map": (list) => Object.entries(Object.fromEntries(list.map(({ type, cents }) => [type, cents]))).sort(),
  "compared-by-type": (list) => list.map(({ type }) => type).sort(),
};

function compared(list) {
  const way = Object.keys(COMPARED).find(has);
  return JSON.stringify(way ? COMPARED[way](list) : list.map(({ type, cents }) => `${type} ${cents}`).sort());
}

const UNLOCKED_RELEASES = ["await-before-write", "unlocked-release", "unlocked-quantity"];

async function submitRelease(request, response) {
  const body = request.body;
  if (!isObject(body)) refuse("body", "is no object");
  const account = place(body.channelName, body.accountId);
  if (!Number.isSafeInteger(body.reconciliationId)) refuse("reconciliationId");
  const batch = db.prepare("SELECT * FROM reconciliations WHERE id = ?").get(body.reconciliationId);
  if (!batch || !batch.active) throw new Refusal(400, "There is no such reconciliation", "400", "reconciliationId");
  if (batch.account !== account && !has("any-account")) refuse("accountId", "is not the reconciliation's");
  const own = code(body.marketplaceCode);
  if (!STATUSES.includes(body.status)) refuse("status");
  if (body.releaseType !== "IN_CASH") refuse("releaseType");
  instant(body.createdDate, "createdDate");
  const released = instant(body.releasedDate, "releasedDate");
  const day = (at) => (has("compared-by-day") ? Math.floor(at / 86_400_000) : at);
  if (day(released) < day(batch.init) || day(released) > day(batch.finish)) refuse("releasedDate", "lies outside the period");
  for (const name of ["installment", "installmentQuantity"]) {
    if (body[name] !== undefined && !(Number.isSafeInteger(body[name]) && body[name] > 0)) refuse(name);
  }
  if (body.installment > body.installmentQuantity) refuse("installment", "is above installmentQuantity");
  const given = entries(body.releases, "releases", ENTRY_TYPES, own);
  const order = find(account, own);
  if (!order) throw new Refusal(404, `Order ${own} not found`, "404-3", "marketplaceCode");
  const again = () => {
    const there = db.prepare("SELECT * FROM releases WHERE account = ? AND code = ?").get(account, own);
    if (there && !has("released-twice")) throw new Refusal(400, "The order is released already", "400", "marketplaceCode");
  };
  again();
  const expected = entries(JSON.parse(order.body).extracts, "extracts", ENTRY_TYPES, own);
  if (compared(given) !== compared(expected)) throw new Refusal(400, "The releases differ from the extracts", "400", "releases");
  const count = () => {
    const n = db.prepare("SELECT ifnull(sum(entries), 0) AS n FROM releases WHERE reconciliation = ?").get(batch.id).n;
    if (n + given.length > batch.quantity && !has("no-quantity-limit")) refuse("releases", "are more than releasesQtd");
    return n;
  };
  let sent = count();
  if (UNLOCKED_RELEASES.some(has)) await elsewhere();
  if (has("unlocked-quantity")) again();
  if (has("unlocked-release")) sent = count();
  const how = has("unlocked-release") ? "INSERT" : "INSERT OR REPLACE";
  db.prepare(`${how} INTO releases VALUES (?, ?, ?, ?)`).run(batch.id, account, own, given.length);
  if (sent + given.length >= batch.quantity) {
    db.prepare("UPDATE reconciliations SET active = 0 WHERE id = ?").run(batch.id);
    db.prepare("UPDATE orders SET reconciled = 1 WHERE (account, code) IN (SELECT account, code FROM releases WHERE reconciliation = ?)").run(batch.id);
  }
  response.json({ message: "Release received" });
}

// -- tokens --------------------------------------------------------------------------------------------------------------

const access = new Set();
const refresh = new Set();
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

function grant(response) {
  const pair = [1, 2].map(() => `${part({ alg: "HS256" })}.${part({ sub: world.integrator, iat: Math.floor(Date.now() / 1000) })}.${randomBytes(32).toString("base64url")}`);
  access.add(pair[0]);
  refresh.add(pair[1]);
  response.json({ accessToken: pair[0], refreshToken: pair[1], expiresIn: 7200 });
}

function login(request, response) {
  const given = isObject(request.body) ? request.body.credentials : undefined;
  const wanted = Buffer.from(`${world.email}:${world.password}`).toString("base64");
  if (given !== wanted) throw new Refusal(401, "credentials are wrong");
  grant(response);
}

async function renew(request, response) {
  const given = isObject(request.body) ? request.body.refreshToken : undefined;
  if (!refresh.has(given)) throw new Refusal(401, "refreshToken is void");
  if (has("unlocked-refresh")) await elsewhere();
  if (!has("refreshed-again")) refresh.delete(given);
  grant(response);
}

function authorised(request, response, next) {
  const token = request.get("gumgaToken");
  if (!access.has(token) && !(has("unverified-token") && token?.split(".").length === 3)) {
    return response.status(403).json({ response: "NO_TOKEN" });
  }
  if (request.get("integrator") !== world.integrator) throw new Refusal(400, "integrator is unknown", "400", "integrator");
  return next();
}

// -- the application -------------------------------------------------------------------------------------------------------

for (const each of world.accounts.filter((one) => one.foreign)) {
  const body = { marketplaceCode: each.foreign, channelName: each.channel, accountId: each.id, status: "INVOICED", foreign: true, extracts: [] };
  db.prepare("INSERT INTO orders (account, code, body) VALUES (?, ?, ?)").run(each.id, each.foreign, JSON.stringify(body));
}

const waits = (handle) => (request, response, next) => Promise.resolve(handle(request, response)).catch(next);
const app = express();
app.disable("x-powered-by");
app.disable("etag");
app.use(express.json({ type: () => true, strict: false, limit: "2mb" }));
app.post("/public/api/auth/token", login);
app.post("/public/api/auth/refresh-token", waits(renew));
app.use(authorised);
app.get("/my-accounts", (_request, response) => {
  response.json(world.accounts.map(({ id, channel, state }) => ({
    id, channelName: channel, status: state === "inactive" ? "INACTIVE" : "ACTIVE", apiImport: state !== "disabled",
  })));
});
app.route("/order").post(waits(submitOrder)).get(getOrder).delete(deleteOrder).all(notAllowed);
app.route("/reconciliation").post(waits(createReconciliation)).all(notAllowed);
app.route("/reconciliation/release").post(waits(submitRelease)).all(notAllowed);

function notAllowed() {
  throw new Refusal(405, "The method is not allowed");
}
app.use(() => {
  throw new Refusal(404, "There is nothing at this path");
});
if (!has("default-error-page")) {
  app.use((error, _request, response, _next) => {
    const status = error.status ?? 500;
    response.status(status).json({
      errorMessage: error instanceof Refusal ? error.message : status < 500 ? "The body is no JSON" : "Internal error",
      errorCode: error.code ?? (status === 400 ? "400-0" : `${status}`),
      errorSource: error.source ?? null,
    });
  });
}
const server = app.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
process.stdin.on("end", () => process.exit(0)).resume(); // it ends with whoever started it
