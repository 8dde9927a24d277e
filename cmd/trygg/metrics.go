package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"trygg/bot"
	"trygg/bot/telegram"
	"trygg/flows"
)

// metrics are the program's counts: classes and outcomes, never an id, a word
// or a municipality (S40).
type metrics struct {
	updates  *prometheus.CounterVec
	took     *prometheus.HistogramVec
	step     prometheus.Histogram
	commits  *prometheus.HistogramVec
	cards    *prometheus.CounterVec
	panics   prometheus.Counter
	web      *prometheus.CounterVec
	pages    *prometheus.CounterVec
	reloads  *prometheus.CounterVec
	logDrops prometheus.Counter
	tg       telegramMetrics
	registry *prometheus.Registry
}

func newMetrics() *metrics {
	fast := []float64{.000005, .00002, .0001, .0005, .002, .01, .05, .1, .3, 1}
	m := &metrics{
		updates:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "trygg_updates_total", Help: "Updates by channel and how they were dealt with."}, []string{"channel", "outcome"}),
		took:     prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "trygg_update_seconds", Help: "Time from an update to its answer.", Buckets: fast}, []string{"channel"}),
		step:     prometheus.NewHistogram(prometheus.HistogramOpts{Name: "trygg_step_seconds", Help: "Time of one step of the engine.", Buckets: fast}),
		commits:  prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "trygg_commit_seconds", Help: "Time of one commit to the store.", Buckets: fast}, []string{"ok"}),
		cards:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "trygg_cards_total", Help: "Help cards shown, by whether words of danger opened them."}, []string{"opening"}),
		panics:   prometheus.NewCounter(prometheus.CounterOpts{Name: "trygg_panics_total", Help: "Panics that ended with the help card."}),
		web:      prometheus.NewCounterVec(prometheus.CounterOpts{Name: "trygg_web_total", Help: "Requests of the web chat by what became of them."}, []string{"event"}),
		pages:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "trygg_pages_total", Help: "Pages for professionals and questions asked there, by topic only."}, []string{"event", "topic"}),
		reloads:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "trygg_reloads_total", Help: "Content reloads by whether they were taken."}, []string{"outcome"}),
		logDrops: prometheus.NewCounter(prometheus.CounterOpts{Name: "trygg_log_drops_total", Help: "Log lines that could not be written."}),
		registry: prometheus.NewRegistry(),
	}
	m.registry.MustRegister(m.updates, m.took, m.step, m.commits, m.cards, m.panics, m.web, m.pages, m.reloads, m.logDrops)
	m.tg.register(m.registry)
	return m
}

func (m *metrics) gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

func (m *metrics) Update(channel string, outcome bot.Outcome, took time.Duration) {
	m.updates.WithLabelValues(channel, string(outcome)).Inc()
	m.took.WithLabelValues(channel).Observe(took.Seconds())
}

func (m *metrics) Step(took time.Duration) { m.step.Observe(took.Seconds()) }

func (m *metrics) Commit(took time.Duration, err error) {
	ok := "yes"
	if err != nil {
		ok = "no"
	}
	m.commits.WithLabelValues(ok).Observe(took.Seconds())
}

// Card counts by whether typed words opened it and not by their level: how many
// children wrote of danger is nobody's to read off a graph of a small town.
func (m *metrics) Card(level flows.Level) {
	opening := "asked"
	if level > flows.None {
		opening = "words"
	}
	m.cards.WithLabelValues(opening).Inc()
}

func (m *metrics) Panic() { m.panics.Inc() }

var _ bot.Meter = (*metrics)(nil)

// telegramMetrics are the counts of the Telegram channels, all bots together.
type telegramMetrics struct {
	calls   *prometheus.CounterVec
	took    *prometheus.HistogramVec
	updates *prometheus.CounterVec
	waiting prometheus.Gauge
	alarms  *prometheus.CounterVec
}

func (m *telegramMetrics) register(r *prometheus.Registry) {
	m.calls = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "trygg_telegram_calls_total", Help: "Calls to the Bot API by method and what came of them."}, []string{"method", "class"})
	m.took = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "trygg_telegram_call_seconds", Help: "Time of a call to the Bot API."}, []string{"method"})
	m.updates = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "trygg_telegram_updates_total", Help: "Updates from Telegram by kind and what became of them."}, []string{"kind", "class"})
	m.waiting = prometheus.NewGauge(prometheus.GaugeOpts{Name: "trygg_telegram_waiting", Help: "Answers that wait to be shown."})
	m.alarms = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "trygg_telegram_alarms_total", Help: "What a person has to look at."}, []string{"class"})
	r.MustRegister(m.calls, m.took, m.updates, m.waiting, m.alarms)
}

func (m *metrics) telegram() telegram.Meter { return &m.tg }

// Call implements telegram.Meter, as do the others.
func (m *telegramMetrics) Call(method, class string, took time.Duration) {
	m.calls.WithLabelValues(method, class).Inc()
	m.took.WithLabelValues(method).Observe(took.Seconds())
}
func (m *telegramMetrics) Update(kind, class string) { m.updates.WithLabelValues(kind, class).Inc() }
func (m *telegramMetrics) Waiting(n int)             { m.waiting.Set(float64(n)) }
func (m *telegramMetrics) Alarm(class string)        { m.alarms.WithLabelValues(class).Inc() }
