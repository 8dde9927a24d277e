package telegram

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"trygg/bot"
	"trygg/flows"
)

// lane is what is on its way to one chat: answers are shown one after another,
// and of screens that wait only the newest is shown (S53). It also remembers,
// in memory, which message is the live one.
type lane struct {
	chat int64

	// order keeps the handling of an update and the place of its answer in the
	// queue together, so that answers are shown in the order of the commits.
	order sync.Mutex

	mu      sync.Mutex // guards all below
	jobs    []*job     // the first is being shown
	running bool
	wake    chan struct{} // something with help came while waiting
	left    float64       // of the chat's burst
	at      time.Time
	until   time.Time // Telegram asked to wait
	used    time.Time
	live    int       // the live message as last shown from here
	since   time.Time // start of the session for which the store knows it
	gone    int       // the live message before, which was removed
	told    time.Time // when it was told to begin anew
	stray   []int     // messages that should be gone and could not be removed yet
}

// job is one answer on its way.
type job struct {
	u        bot.Update
	a        bot.Answer
	priority priority
	edit     int      // message to edit; 0 = a new one
	below    bool     // something was typed below the live message: a new one
	before   []string // lines ahead of the reply's own
	until    time.Time
	quiet    bool      // said before: only written down
	clear    *clearing // hide, erase or tidy

	busy   bool // being shown right now; not to be overtaken
	cancel context.CancelFunc
	late   bool // had to wait
	fails  int
	toast  string        // what the press is answered with, once done
	spin   *spinner      // turns on a message that is to go; nil = dealt with
	err    error         // why it was not shown
	done   chan struct{} // closed when shown, overtaken or given up
	parked chan struct{} // closed when it has to wait
	wait   sync.Once
}

var (
	errLater     = errors.New("not shown yet") // given up in memory
	errOvertaken = errors.New("overtaken")     // a newer screen is shown instead
)

// committed tells whether the outbox has the answer too.
func (j *job) committed() bool { return j.a.Entry != (bot.EntryID{}) }

func (j *job) finish(err error) {
	if j.spin != nil {
		j.spin.end("")
	}
	j.err = err
	close(j.done)
}

func (j *job) park() { j.wait.Do(func() { close(j.parked) }) }

// lanes are those of all chats. Their mutex is taken before that of a lane, never
// under it.
type lanes struct {
	mu      sync.Mutex
	all     map[int64]*lane
	waiting atomic.Int64
	rush    atomic.Bool // the end: nothing waits any more
}

func (c *Channel) lane(chat int64) *lane {
	c.lanes.mu.Lock()
	defer c.lanes.mu.Unlock()
	l := c.lanes.all[chat]
	if l == nil {
		l = &lane{chat: chat, wake: make(chan struct{}, 1), left: float64(c.o.Limits.PerChat)}
		c.lanes.all[chat] = l
	}
	l.mu.Lock()
	l.used = c.o.Now()
	l.mu.Unlock()
	return l
}

// hurry lets everything that waits be tried once more or be left to the outbox.
func (ls *lanes) hurry() {
	ls.rush.Store(true)
	ls.mu.Lock()
	all := make([]*lane, 0, len(ls.all))
	for _, l := range ls.all {
		all = append(all, l)
	}
	ls.mu.Unlock()
	for _, l := range all {
		l.nudge()
	}
}

func (l *lane) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// sweep forgets chats that were silent for long.
func (c *Channel) sweep(ctx context.Context) {
	for pause(ctx, time.Minute) {
		now := c.o.Now()
		c.lanes.mu.Lock()
		n := 0
		for id, l := range c.lanes.all {
			l.mu.Lock()
			if len(l.jobs) == 0 && !l.running && now.Sub(l.used) > time.Hour {
				delete(c.lanes.all, id)
			}
			n += len(l.jobs)
			l.mu.Unlock()
		}
		c.lanes.mu.Unlock()
		c.o.Meter.Waiting(n)
	}
}

// push takes an answer's place in the queue and gives what the caller has to run
// then, outside its locks.
func (c *Channel) push(l *lane, j *job) func() {
	j.done, j.parked = make(chan struct{}), make(chan struct{})
	if j.priority < help && !c.room() {
		// Bounded (S53): the outbox has it.
		j.finish(errLater)
		return func() {}
	}
	l.mu.Lock()
	var dropped []*job
	l.jobs = slices.DeleteFunc(l.jobs, func(o *job) bool {
		if o.busy || o.clear != nil || o.priority > j.priority && (j.clear == nil || j.priority == later) {
			return false
		}
		// The newest screen goes where the one before it would have gone.
		if j.clear == nil {
			j.below = j.below || o.below
			if j.edit == 0 && !j.below {
				j.edit = o.edit
			}
		}
		dropped = append(dropped, o)
		return true
	})
	at := len(l.jobs)
	if j.priority == help {
		for at = 0; at < len(l.jobs) && (l.jobs[at].busy || l.jobs[at].priority == help); at++ {
		}
	}
	if at > 0 && j.priority == help && l.jobs[0].busy && l.jobs[0].priority < help {
		time.AfterFunc(hungAfter, l.jobs[0].cancel) // help does not wait behind a call that hangs
	}
	l.jobs = slices.Insert(l.jobs, at, j)
	run := !l.running
	l.running = true
	l.mu.Unlock()
	c.count(1 - len(dropped))
	l.nudge()
	return func() {
		for _, o := range dropped {
			c.overtaken(o, j)
		}
		if run {
			c.drive(l)
		}
	}
}

// overtaken ends an answer in whose place a newer one is shown.
func (c *Channel) overtaken(o, by *job) {
	if o.u.ID == "" || o.u.ID != by.u.ID { // else the same update, tried again
		c.o.Bot.Shown(c.life, o.u, o.a, bot.Sent{})
	}
	o.finish(errOvertaken)
}

func (c *Channel) count(n int) { c.lanes.waiting.Add(int64(n)) }

func (c *Channel) room() bool { return c.lanes.waiting.Load() < int64(c.o.Limits.Waiting) }

// drive shows what is on its way to a chat until there is nothing more.
func (c *Channel) drive(l *lane) {
	for {
		l.mu.Lock()
		if len(l.jobs) == 0 {
			l.running = false
			l.mu.Unlock()
			return
		}
		j := l.jobs[0]
		l.mu.Unlock()
		if wait := c.try(l, j); wait > 0 {
			j.park()
			l.rest(c.life, wait)
		}
	}
}

// rest waits, shorter when help comes.
func (l *lane) rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.wake:
	case <-ctx.Done():
	}
}

// try tries the first answer once. 0: it is dealt with, one way or the other;
// else how long to wait.
func (c *Channel) try(l *lane, j *job) time.Duration {
	now := c.o.Now()
	l.mu.Lock()
	if len(l.jobs) == 0 || l.jobs[0] != j {
		l.mu.Unlock()
		return 0 // overtaken meanwhile
	}
	wait := l.until.Sub(now)
	if wait <= 0 {
		wait = l.admit(j.priority, now, c.o.Limits.PerChat)
	}
	if wait <= 0 {
		if wait = c.rate.take(j.priority, now); wait > 0 {
			l.left++ // not used
		}
	}
	if wait > 0 {
		return c.defers(l, j, now, wait)
	}
	ctx, done := context.WithTimeout(c.life, cardTime)
	j.busy, j.cancel = true, done
	late := j.late
	l.mu.Unlock()

	var sent bot.Sent
	var err error
	if !late || c.current(ctx, j) {
		sent, err = c.show(ctx, l, j)
	}
	done()

	now = c.o.Now()
	var slow *retryError
	switch {
	case err == nil:
		c.rate.fine()
	case errors.Is(err, errBlocked):
		c.blocked(l)
		return 0
	case errors.Is(err, errUnauthorized):
		c.alarm("unauthorized")
		wait = 5 * time.Second
		c.rate.hold(now.Add(wait))
	case errors.As(err, &slow):
		if wait = slow.After; wait <= 0 {
			j.fails++
			wait = backoff(j.fails)
		}
		c.rate.slow(l.chat, wait, now)
	case errors.Is(err, errTransient):
		j.fails++
		wait = backoff(j.fails)
	default:
		// It will never be taken: another try helps nobody.
		c.failed("show", err)
		c.o.Meter.Alarm("refused")
	}
	l.mu.Lock()
	j.busy = false
	if slow != nil && now.Add(wait).After(l.until) {
		l.until = now.Add(wait)
	}
	if wait > 0 {
		return c.defers(l, j, now, wait)
	}
	l.jobs = slices.DeleteFunc(l.jobs, func(o *job) bool { return o == j })
	l.used = now
	l.mu.Unlock()
	c.count(-1)
	if j.clear != nil && j.clear.erase {
		sent = j.clear.forgotten() // also when it was refused for good
	}
	if slices.Contains(sent.Removed, j.edit) {
		j.spin = nil
	}
	// The phone has it; now it is written down (S2).
	c.o.Bot.Shown(c.life, j.u, j.a, sent)
	j.finish(nil)
	return 0
}

// hungAfter is how long help waits for a call before it that does not come back.
const hungAfter = time.Second

// defers lets a job wait, or gives it up when nobody waits for it that long or
// something newer came meanwhile. It is called under the lane's lock and gives
// it back.
func (c *Channel) defers(l *lane, j *job, now time.Time, wait time.Duration) time.Duration {
	if len(l.jobs) > 1 && j.clear == nil && j.priority <= l.jobs[1].priority {
		next := l.jobs[1]
		if next.clear == nil {
			next.below = next.below || j.below
		}
		l.jobs = l.jobs[1:]
		l.mu.Unlock()
		c.count(-1)
		c.overtaken(j, next)
		return 0
	}
	if !now.Add(wait).After(j.until) && !c.lanes.rush.Load() && c.life.Err() == nil {
		j.late = true
		l.mu.Unlock()
		return wait
	}
	l.jobs = slices.DeleteFunc(l.jobs, func(o *job) bool { return o == j })
	l.mu.Unlock()
	c.count(-1)
	if !j.committed() {
		c.o.Meter.Alarm("late")
	}
	j.finish(errLater)
	return 0
}

// current tells whether what had to wait is still what is to be seen. Another
// replica may have gone on, and an old screen must not come after a newer one.
func (c *Channel) current(ctx context.Context, j *job) bool {
	if !j.committed() || j.clear != nil {
		return true
	}
	ctx, done := context.WithTimeout(ctx, bot.StoreBudget)
	defer done()
	now, err := c.o.Store.Read(ctx, j.u.Chat, bot.Want{})
	if err != nil {
		return true
	}
	if now.Session.Schema == 0 {
		return flows.IsBearing(j.a.Reply.Screen)
	}
	return now.Session.Screen == j.a.Reply.Screen || j.a.Reply.Card
}

// admit holds a chat to one message a second after a burst. Help does not wait
// for it (S6).
func (l *lane) admit(p priority, now time.Time, burst int) time.Duration {
	if !l.at.IsZero() {
		l.left = min(float64(burst), l.left+max(0, now.Sub(l.at).Seconds()))
	}
	l.at = now
	if l.left < 1 && p < help {
		return time.Duration((1 - l.left) * float64(time.Second))
	}
	l.left--
	return 0
}

// blocked ends everything for somebody who does not want us (F52).
func (c *Channel) blocked(l *lane) {
	l.mu.Lock()
	jobs := l.jobs
	l.jobs, l.live, l.stray = nil, 0, nil
	l.mu.Unlock()
	c.count(-len(jobs))
	c.o.Gone(c.chatID(l.chat))
	for _, j := range jobs {
		var sent bot.Sent
		if j.clear != nil && j.clear.erase {
			j.clear.begin(l, j, c.o.Now())
			sent = j.clear.forgotten()
		}
		c.o.Bot.Shown(c.life, j.u, j.a, sent)
		j.finish(nil)
	}
}

// alarm tells of what a person has to look at, at most once a minute.
func (c *Channel) alarm(class string) {
	c.o.Meter.Alarm(class)
	if c.alarms.first(class, c.o.Now(), time.Minute) {
		c.o.Log.Error("telegram", "event", "alarm", "class", class)
	}
}
