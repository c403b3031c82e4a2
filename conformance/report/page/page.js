"use strict";
// Everything stands in the page without this script; it only filters, copies, opens and changes the theme.
(() => {
  const root = document.documentElement;
  const kept = (() => {
    try { return window.localStorage; } catch { return null; } // a page from disk may have none
  })();
  const recall = () => { try { return kept?.getItem("koncili-theme"); } catch { return null; } };
  const remember = (theme) => { try { kept?.setItem("koncili-theme", theme); } catch { /* it lasts as long as the page */ } };

  root.classList.add("js");
  if (recall()) root.dataset.theme = recall();

  document.addEventListener("DOMContentLoaded", () => {
    const find = (id) => document.getElementById(id);
    const all = (selector, within = document) => [...within.querySelectorAll(selector)];
    const say = (words) => { find("said").textContent = words; };
    const said = JSON.parse(find("said").dataset.words); // in the language of the page
    const filled = (message, facts) => message.replace(/\{(\w+)\}/g, (_, name) => facts[name]);

    for (const control of all("[data-js]")) control.hidden = false;

    // -- theme
    const theme = find("theme");
    const isDark = () => (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
    const tell = () => theme.setAttribute("aria-pressed", String(isDark()));
    theme.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember(root.dataset.theme);
      tell();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", tell);
    tell();

    // -- filters
    const form = find("filters");
    const query = find("query");
    const rules = all("details.rule").map((element) => ({
      ...element.dataset,
      text: all("[data-find]", element).map((part) => part.textContent).join(" ").toLowerCase(),
    }));
    const parts = all("[data-rule]");
    const shows = (group) => group.querySelector("[data-rule]:not(.off)") !== null;

    const apply = () => {
      const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
      const verdicts = all("[name=verdict]:checked").map((box) => box.value);
      const { level, area } = form.elements;
      const chosen = new Set(rules.filter((rule) =>
        (!verdicts.length || verdicts.includes(rule.verdict)) &&
        (!level.value || level.value === rule.level) &&
        (!area.value || area.value === rule.area) &&
        words.every((word) => rule.text.includes(word))).map((rule) => rule.rule));
      for (const part of parts) part.classList.toggle("off", !chosen.has(part.dataset.rule));
      for (const group of all("[data-group]")) group.classList.toggle("off", !shows(group));
      for (const section of all("[data-filtered]")) section.querySelector(".none")?.classList.toggle("off", shows(section));
      const narrowed = Boolean(words.length || verdicts.length || level.value || area.value);
      find("count").textContent = narrowed ? filled(said.some, { number: chosen.size, all: rules.length }) : said.every;
      find("clear").hidden = !narrowed;
    };
    const clear = () => { form.reset(); apply(); };

    form.addEventListener("submit", (event) => event.preventDefault());
    find("clear").addEventListener("click", () => { clear(); query.focus(); });
    form.addEventListener("input", apply);
    for (const box of all("[name=verdict]")) box.addEventListener("change", apply); // they stand outside of the form
    query.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      query.value = "";
      apply();
    });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest?.("input:not([type=checkbox]), select, textarea")) return;
      event.preventDefault();
      query.focus();
      query.select();
    });

    // -- links into the page
    const reveal = (hash) => {
      let id = hash.slice(1);
      try { id = decodeURIComponent(id); } catch { /* then it is as it stands */ }
      const target = id && find(id);
      if (!target) return null;
      if (target.closest(".off")) clear();
      for (let holder = target.closest("details"); holder; holder = holder.parentElement.closest("details")) holder.open = true;
      return target;
    };
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.("a[href^='#']");
      if (link) reveal(link.hash);
    });
    const go = () => reveal(location.hash)?.scrollIntoView(); // what was hidden, the browser could not scroll to
    window.addEventListener("hashchange", go);
    if (location.hash) history.scrollRestoration = "manual"; // a page that is loaded again would go back to where it was before
    go();

    // -- all open, all closed
    const unfold = find("unfold");
    unfold.addEventListener("click", () => {
      const open = unfold.textContent === said.open;
      for (const rule of all("details.rule")) rule.open = open;
      unfold.textContent = open ? said.close : said.open;
    });

    // -- copying
    const select = (code) => {
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
    };
    const copy = async (code) => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        return said.copied;
      } catch {
        select(code);
        try { if (document.execCommand("copy")) return said.copied; } catch { /* selected it is */ }
        return said.selected;
      }
    };
    for (const block of all(".code")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = said.copy;
      button.setAttribute("aria-label", filled(said.copyIt, { what: block.dataset.copy }));
      button.addEventListener("click", async () => {
        const done = await copy(block.querySelector("code"));
        button.textContent = done;
        say(done === said.copied ? filled(said.copiedIt, { what: block.dataset.copy }) : said.selectedIt);
        setTimeout(() => { button.textContent = said.copy; }, 2000);
      });
      block.append(button);
    }

    // -- print: all of it, then as it was
    let opened = [];
    window.addEventListener("beforeprint", () => {
      opened = all("details:not([open])");
      for (const closed of opened) closed.open = true;
    });
    window.addEventListener("afterprint", () => {
      for (const closed of opened) closed.open = false;
    });
  });
})();
