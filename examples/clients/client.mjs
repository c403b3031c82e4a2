// A small client of Koncili in Node that pays each order once, also where answers are lost. Needs nothing but Node 20.
const TRIES = 5;

export class Refused extends Error {} // Koncili does not take a call as it is
export class Lost extends Error {} // no usable answer came: nobody knows what became of the call

export class Koncili {
  constructor({ baseUrl, email, password, integrator, timeout = 2000 }) {
    Object.assign(this, { baseUrl, integrator, timeout });
    this.pair = Buffer.from(`${email}:${password}`).toString("base64");
  }

  async call(method, path, body, query = {}) {
    if (!this.token && !path.startsWith("/public")) {
      this.token = (await this.call("POST", "/public/api/auth/token", { credentials: this.pair })).accessToken;
    }
    const headers = { integrator: this.integrator, "content-type": "application/json" };
    if (this.token) headers.gumgaToken = this.token;
    let answer, text;
    try {
      const url = `${this.baseUrl}${path}?${new URLSearchParams(query)}`;
      const signal = AbortSignal.timeout(this.timeout);
      answer = await fetch(url, { method, headers, body: body && JSON.stringify(body), signal });
      text = await answer.text();
    } catch (error) {
      throw new Lost(`${method} ${path}: ${error}`);
    }
    if (answer.status >= 500) throw new Lost(`${method} ${path}: ${answer.status}`);
    if (answer.status >= 400) throw new Refused(text);
    return text ? JSON.parse(text) : null;
  }

  async order({ marketplaceCode, channelName, accountId }) {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      try {
        return await this.call("GET", "/order", undefined, { marketplaceCode, channelName, accountId });
      } catch (error) {
        if (error instanceof Refused) return null;
      }
    }
    throw new Lost("GET /order");
  }

  async submit(order) { // the same order sent twice is one order
    for (let attempt = 0; attempt < TRIES; attempt++) {
      try {
        return await this.call("POST", "/order", order);
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        if (await this.order(order)) return;
      }
    }
    throw new Lost("POST /order");
  }

  async release(order, reconciliationId, releasedDate) { // once: where the answer is lost Koncili is asked before it is sent again
    const { channelName, accountId, marketplaceCode, status, createdDate, extracts } = order;
    const body = { reconciliationId, channelName, accountId, marketplaceCode, status, createdDate, releasedDate,
      releaseType: "IN_CASH", installment: 1, installmentQuantity: 1, releases: extracts };
    for (let attempt = 0, inDoubt = false; attempt < TRIES; attempt++) {
      try {
        return await this.call("POST", "/reconciliation/release", body);
      } catch (error) {
        if (error instanceof Refused && inDoubt) return; // it is there already: the lost one was carried out
        if (!(error instanceof Lost)) throw error;
        await this.order(order);
        inDoubt = true;
      }
    }
    throw new Lost("POST /reconciliation/release");
  }

  async settle(orders, periodInitDate, periodEndDate) {
    for (const order of orders) await this.submit(order);
    const { channelName, accountId } = orders[0];
    const entries = orders.flatMap((order) => order.extracts);
    const cents = entries.reduce((sum, { value }) => sum + Math.round(value * 100), 0);
    const { id } = await this.call("POST", "/reconciliation", { channelName, accountId, periodInitDate, periodEndDate,
      releasesQtd: entries.length, totalNetValue: cents / 100 });
    for (const order of orders) await this.release(order, id, periodInitDate);
    return id;
  }
}
