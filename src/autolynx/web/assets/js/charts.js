// Draws every [data-chart] of a page by Chart.js, in the colours of the page; draws anew when figures or colours change.
// The page is shown in the reader's own time zone, which a cookie tells the server, and follows the calls of today.
"use strict";

(() => {
  const FOLLOW_MILLISECONDS = 5000;
  const YEAR_SECONDS = 31536000;
  const drawn = new Map(); // element of the plot -> { chart, data, colours }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  function colours() {
    return ["ink", "soft", "rule", "card", "answered", "voicemail", "missed", "failed", "unsure", "live"].map(colour).join();
  }

  function number(value, unit) {
    if (unit) return `${unit}${value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: value < 1 ? 3 : 2 })}`;
    return value.toLocaleString("en-US");
  }

  function short(value, unit) {
    return unit && (value >= 10 || value === 0) ? `${unit}${value.toLocaleString("en-US")}` : number(value, unit);
  }

  function dataset(set, data) {
    const tones = Array.isArray(set.tone) ? set.tone.map(colour) : colour(set.tone);
    if (set.line) {
      return {
        type: "line", label: set.label, data: set.values, borderColor: tones, backgroundColor: tones, borderWidth: 2,
        pointRadius: data.labels.length > 40 ? 0 : 2.5, pointHoverRadius: 5, tension: 0.25, spanGaps: true, yAxisID: "second", order: 0,
      };
    }
    return {
      label: set.label, data: set.values, backgroundColor: tones, borderRadius: 3, maxBarThickness: 46, order: 1,
      categoryPercentage: 0.86, barPercentage: 0.92, minBarLength: data.stacked ? 0 : 2,
    };
  }

  function axis(data, isValue) {
    const ticks = { color: colour("soft"), font: { size: 12 }, maxRotation: 0, autoSkipPadding: 16 };
    if (isValue) Object.assign(ticks, { maxTicksLimit: 6, callback: (value) => short(value, data.unit) });
    if (isValue && !data.unit) ticks.precision = 0;
    if (!isValue && data.labels.length <= 13) ticks.autoSkip = false; // all of them, in two lines where they stand side by side
    if (!isValue && !data.lying && data.labels.length <= 8) ticks.callback = (index) => data.labels[index].split(" ");
    return {
      stacked: data.stacked, beginAtZero: true, border: { display: false }, ticks,
      grid: { display: isValue, color: colour("rule"), drawTicks: false },
    };
  }

  function options(data) {
    const scales = { x: axis(data, data.lying), y: axis(data, !data.lying) };
    if (data.sets.some((set) => set.line)) {
      const second = axis(data, true);
      scales.second = { ...second, position: "right", grid: { display: false } };
    }
    return {
      responsive: true, maintainAspectRatio: false, animation: false, indexAxis: data.lying ? "y" : "x", scales,
      interaction: { mode: "index", intersect: false, axis: data.lying ? "y" : "x" },
      plugins: {
        legend: {
          display: data.sets.length > 1, position: "bottom", align: "start",
          labels: { color: colour("soft"), boxWidth: 10, boxHeight: 10, useBorderRadius: true, borderRadius: 3, padding: 14, font: { size: 13 } },
        },
        tooltip: {
          backgroundColor: colour("card"), titleColor: colour("ink"), bodyColor: colour("ink"), footerColor: colour("soft"),
          borderColor: colour("edge"), borderWidth: 1, padding: 10, cornerRadius: 9, boxPadding: 5,
          filter: (item) => item.raw !== null && (item.raw !== 0 || data.sets.length === 1),
          callbacks: {
            label: (item) => ` ${item.dataset.label}: ${number(item.raw, data.unit)}`,
            footer: (items) => (data.stacked ? `${number(items.reduce((sum, item) => sum + item.raw, 0), "")} calls` : ""),
          },
        },
      },
    };
  }

  function draw(plot, looks) {
    const before = drawn.get(plot);
    const isKept = before && before.data === plot.dataset.chart && before.looks === looks && before.canvas.isConnected;
    if (isKept) return;
    if (before) before.chart.destroy();
    const data = JSON.parse(plot.dataset.chart);
    const canvas = document.createElement("canvas");
    plot.replaceChildren(canvas);
    const sets = data.sets.map((set) => dataset(set, data));
    const chart = new window.Chart(canvas, { type: "bar", data: { labels: data.labels, datasets: sets }, options: options(data) });
    drawn.set(plot, { chart, canvas, data: plot.dataset.chart, looks });
  }

  function drawAll() {
    const looks = colours();
    for (const [plot, { chart }] of drawn) {
      if (plot.isConnected) continue;
      chart.destroy();
      drawn.delete(plot);
    }
    for (const plot of document.querySelectorAll("[data-chart]")) draw(plot, looks);
  }

  // The reader's time zone: told once, then the page is fetched again in it.
  function tellTimezone() {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const shown = document.getElementById("analytics");
    if (!zone || !shown) return;
    const isNew = !document.cookie.split("; ").includes(`timezone=${encodeURIComponent(zone)}`);
    if (!isNew) return;
    document.cookie = `timezone=${encodeURIComponent(zone)}; path=/; max-age=${YEAR_SECONDS}; SameSite=Lax`;
    const isAsked = new URLSearchParams(location.search).has("timezone");
    if (zone !== shown.dataset.timezone && !isAsked) window.refresh();
  }

  // Figures that include today go on changing while calls run.
  function follow() {
    const shown = document.getElementById("analytics");
    const isBusy = document.activeElement && document.activeElement.closest(".analytics-filters");
    if (document.hidden || isBusy || !shown || !shown.dataset.to) return;
    const today = new Intl.DateTimeFormat("en-CA", { timeZone: shown.dataset.timezone }).format(new Date());
    if (shown.dataset.to >= today) window.refresh();
  }

  if (!window.Chart) return;
  window.Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  drawAll();
  window.addEventListener("load", tellTimezone); // htmx listens from then on
  document.addEventListener("htmx:after:swap", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  setInterval(follow, FOLLOW_MILLISECONDS);
})();
