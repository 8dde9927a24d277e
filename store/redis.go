package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// RedisOptions adjust OpenRedis; the zero value is good.
type RedisOptions struct {
	Now      func() time.Time // the clock that says what has ended; time.Now
	Timeout  time.Duration    // of one call whose context has no earlier deadline; 2 s
	PoolSize int              // connections to each node; 32
	TLS      *tls.Config      // for rediss, when the system's trust is not what is wanted
}

// Redis is the Store on a Redis server of version 7.0 or later: a single one,
// Sentinel or Cluster. The shard is the hash tag of every key and a batch is one
// script, so the same program runs on all three.
type Redis struct {
	c     redis.UniversalClient
	now   func() time.Time
	mode  string
	plain bool // no TLS, and an address that is not of this machine
	bare  bool // no password
	owner string
}

var _ Store = (*Redis)(nil)

// OpenRedis prepares a client for the server at address, in one of these forms:
//
//	redis://user:password@host:6379/0              one server
//	redis+sentinel://user:password@host1:26379,host2:26379/mastername/0
//	redis+cluster://user:password@host1:6379,host2:6379
//
// With rediss instead of redis it speaks TLS. User, password, ports and the
// number of the database may be left out. Sentinels with a login of their own
// take ?sentinel_user=...&sentinel_password=... at the end.
//
// It succeeds while the server is away and recovers by itself (F1); the only
// errors are about the address, and they do not repeat it (F10).
func OpenRedis(ctx context.Context, address string, o RedisOptions) (*Redis, error) {
	u, mode, err := parseRedisURL(address)
	if err != nil {
		return nil, err
	}
	if u.TLSConfig != nil && o.TLS != nil {
		u.TLSConfig = o.TLS
	}
	timeout := cmp.Or(o.Timeout, 2*time.Second)
	u.Protocol = 3
	u.ContextTimeoutEnabled = true
	u.DialTimeout = min(timeout, time.Second)
	u.ReadTimeout, u.WriteTimeout = timeout, timeout
	u.PoolTimeout = timeout
	u.PoolSize = cmp.Or(o.PoolSize, 32)
	u.MaxActiveConns = u.PoolSize // what waits is bounded when the server hangs (F4)
	u.PipelinePoolSize = -1       // we send no pipelines
	u.DialerRetries = 1           // a caller has 300 ms; the breaker does the waiting
	// Sending again is safe, see Batch.repeats, and hides a connection that
	// the server closed while it was idle.
	u.MaxRetries = 2
	u.MinRetryBackoff, u.MaxRetryBackoff = 4*time.Millisecond, 32*time.Millisecond
	u.DisableIdentity = true // CLIENT SETINFO is not in 7.0
	u.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}

	redis.SetLogger(quiet{}) // it would print addresses to stderr, in lines of its own (S40)
	r := &Redis{c: redis.NewUniversalClient(u), now: o.Now, mode: mode, owner: rand.Text(), bare: u.Password == ""}
	if r.now == nil {
		r.now = time.Now
	}
	for _, a := range u.Addrs {
		r.plain = r.plain || u.TLSConfig == nil && !loopback(a)
	}
	// Load the scripts, so that the first child does not pay for it. A server
	// that is away gets them with the first call.
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	_ = r.masters(ctx, func(ctx context.Context, _ string, c *redis.Client) error {
		for _, s := range []*redis.Script{commitScript, queueScript, leaseScript} {
			if err := s.Load(ctx, c).Err(); err != nil {
				return err
			}
		}
		return nil
	})
	return r, nil
}

type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

var errAddress = errors.New(`want redis://user:password@host:port/number, redis+sentinel://host1,host2/mastername/number or redis+cluster://host1,host2`)

// parseRedisURL takes an address apart by hand: url.Parse refuses several
// hosts, and its errors repeat the whole address with the password.
func parseRedisURL(address string) (*redis.UniversalOptions, string, error) {
	fail := func(what string) (*redis.UniversalOptions, string, error) {
		return nil, "", fmt.Errorf("address of Redis: %s; %w", what, errAddress)
	}
	scheme, rest, ok := strings.Cut(strings.TrimSpace(address), "://")
	if !ok {
		return fail("no scheme")
	}
	rest, query, _ := strings.Cut(rest, "?")
	o := &redis.UniversalOptions{}
	mode, port := "redis", "6379"
	switch base, kind, plus := strings.Cut(scheme, "+"); {
	case base != "redis" && base != "rediss":
		return fail("unknown scheme")
	case kind == "sentinel":
		mode, port = "sentinel", "26379"
	case kind == "cluster":
		mode, o.IsClusterMode = "cluster", true
	case plus:
		return fail("unknown scheme")
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, password, _ := strings.Cut(rest[:at], ":")
		var err1, err2 error
		o.Username, err1 = url.PathUnescape(user)
		o.Password, err2 = url.PathUnescape(password)
		if err1 != nil || err2 != nil {
			return fail("user or password is not percent-encoded")
		}
		rest = rest[at+1:]
	}
	hosts, path, _ := strings.Cut(rest, "/")
	for h := range strings.SplitSeq(hosts, ",") {
		host, p, err := net.SplitHostPort(h)
		if err != nil {
			host, p = strings.Trim(h, "[]"), port
		}
		if n, err := strconv.Atoi(p); host == "" || err != nil || n < 1 || n > 65535 {
			return fail("host or port missing or wrong")
		}
		o.Addrs = append(o.Addrs, net.JoinHostPort(host, p))
	}
	if mode == "redis" && len(o.Addrs) != 1 {
		return fail("several hosts without sentinel or cluster")
	}
	path = strings.TrimSuffix(path, "/")
	if mode == "sentinel" {
		o.MasterName, path, _ = strings.Cut(path, "/")
		if o.MasterName == "" {
			return fail("no master name")
		}
	}
	if path != "" {
		n, err := strconv.Atoi(path)
		if err != nil || n < 0 || mode == "cluster" && n != 0 {
			return fail("number of the database is wrong")
		}
		o.DB = n
	}
	if query != "" {
		q, err := url.ParseQuery(query)
		if err != nil {
			return fail("what follows ? cannot be read")
		}
		o.SentinelUsername, o.SentinelPassword = q.Get("sentinel_user"), q.Get("sentinel_password")
		q.Del("sentinel_user")
		q.Del("sentinel_password")
		if len(q) > 0 || mode != "sentinel" {
			return fail("what follows ? is not known")
		}
	}
	if strings.HasPrefix(scheme, "rediss") {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		if len(o.Addrs) == 1 && mode == "redis" {
			o.TLSConfig.ServerName, _, _ = net.SplitHostPort(o.Addrs[0])
		}
	}
	return o, mode, nil
}

// A stored value begins with its version and its end, 8 bytes each. What is
// shorter was damaged; its version is what is there of it, so that it can be
// written over (F12).
const header = 16

func putHeader(dst []byte, version uint64, until time.Time) []byte {
	dst = binary.BigEndian.AppendUint64(dst, version)
	return binary.BigEndian.AppendUint64(dst, uint64(until.UnixMilli()))
}

func readHeader(raw []byte, now time.Time) Record {
	if len(raw) < header {
		var v [8]byte
		copy(v[:], raw)
		return Record{Version: binary.BigEndian.Uint64(v[:])}
	}
	if int64(binary.BigEndian.Uint64(raw[8:])) <= now.UnixMilli() {
		return Record{}
	}
	return Record{Version: binary.BigEndian.Uint64(raw), Value: raw[header:]}
}

// Read is one MGET.
func (r *Redis) Read(ctx context.Context, keys ...Key) ([]Record, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if err := sameShard(Value, keys); err != nil {
		return nil, err
	}
	args := make([]string, len(keys))
	for i, k := range keys {
		args[i] = k.redis()
	}
	raw, err := r.c.MGet(ctx, args...).Result()
	if err != nil {
		return nil, failed("read", err)
	}
	now, records := r.now(), make([]Record, len(keys))
	for i, v := range raw {
		if s, ok := v.(string); ok {
			records[i] = readHeader([]byte(s), now)
		}
	}
	return records, nil
}

// commitScript applies a batch to one shard: all of it, or none.
//
//	KEYS[…]  the keys in the order the operations use them
//	ARGV[1]  the batch's stamp, 8 bytes   ARGV[2]  now, milliseconds
//	ARGV[3]  how a repeat is known: k = KEYS[1] carries the stamp, m = KEYS[1]
//	         is a marker, - = not needed
//	ARGV[4…] operations, expectations first: e expect, g gone, t due, then
//	         p put, x delete, a add, q enqueue, s postpone, r acknowledge, d drop
//
// Answers 0 when it is written, now or before, else the number, from 1, of the
// expectation that failed. Times are given as what is left of them, so that the
// server's own clock does not matter.
var commitScript = redis.NewScript(`
local stamp, now, mode = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local none = '\0\0\0\0\0\0\0\0'
local k, a = 1, 4
local call = redis.call

local function version(key)
  local r = call('GETRANGE', key, 0, 15)
  if #r == 16 then
    local ends = struct.unpack('>I8', r, 9)
    if ends <= now then return none end
    return string.sub(r, 1, 8)
  end
  return string.sub(r .. none, 1, 8)
end

if mode == 'k' then
  if call('GETRANGE', KEYS[1], 0, 7) == stamp then return 0 end
  k = 2
elseif mode == 'm' then
  if call('EXISTS', KEYS[1]) == 1 then return 0 end
  k = 2
end

while ARGV[a] do
  local op, number = ARGV[a], tonumber(ARGV[a+1])
  if op == 'e' or op == 'g' then
    local n, want = tonumber(ARGV[a+2]), ARGV[a+3]
    local good = want == none or op == 'g'
    for i = k, k + n - 1 do
      local v = version(KEYS[i])
      if op == 'g' then
        if v ~= none and v ~= want then good = false end
      elseif want == none then
        if v ~= none then good = false end
      elseif v == want then
        good = true
      end
    end
    if not good then return number end
    k, a = k + n, a + 4
  elseif op == 't' then
    local v, at = call('HGET', KEYS[k+1], ARGV[a+2]), call('ZSCORE', KEYS[k], ARGV[a+2])
    if not v or not at or #v < 8 or tonumber(at) ~= tonumber(ARGV[a+3]) then return number end
    local ends = struct.unpack('>I8', v)
    if ends <= now then return number end
    k, a = k + 2, a + 4
  else
    break
  end
end

if mode == 'm' then call('SET', KEYS[1], '', 'PX', 60000) end

while ARGV[a] do
  local op = ARGV[a]
  if op == 'p' then
    call('SET', KEYS[k], ARGV[a+1], 'PX', ARGV[a+2])
    k, a = k + 1, a + 3
  elseif op == 'x' then
    call('DEL', KEYS[k])
    k, a = k + 1, a + 1
  elseif op == 'a' then
    local ends = call('HGET', KEYS[k], '')
    if ends and tonumber(ends) <= now then call('DEL', KEYS[k]) end
    call('HINCRBY', KEYS[k], ARGV[a+1], ARGV[a+2])
    call('HSET', KEYS[k], '', ARGV[a+3])
    call('PEXPIRE', KEYS[k], ARGV[a+4])
    k, a = k + 1, a + 5
  elseif op == 'q' then
    call('ZADD', KEYS[k], ARGV[a+2], ARGV[a+1])
    call('HSET', KEYS[k+1], ARGV[a+1], ARGV[a+3])
    if call('PTTL', KEYS[k]) < tonumber(ARGV[a+4]) then
      call('PEXPIRE', KEYS[k], ARGV[a+4])
      call('PEXPIRE', KEYS[k+1], ARGV[a+4])
    end
    k, a = k + 2, a + 5
  elseif op == 's' then
    call('ZADD', KEYS[k], 'XX', ARGV[a+2], ARGV[a+1])
    k, a = k + 1, a + 3
  elseif op == 'r' then
    call('ZREM', KEYS[k], ARGV[a+1])
    call('HDEL', KEYS[k+1], ARGV[a+1])
    k, a = k + 2, a + 2
  elseif op == 'd' then
    local prefix = ARGV[a+1]
    for _, id in ipairs(call('ZRANGE', KEYS[k], 0, -1)) do
      if string.sub(id, 1, #prefix) == prefix then
        call('ZREM', KEYS[k], id)
        call('HDEL', KEYS[k+1], id)
      end
    end
    k, a = k + 2, a + 2
  else
    return redis.error_reply('ERR unknown operation')
  end
end
return 0
`)

// Commit is one EVALSHA.
func (r *Redis) Commit(ctx context.Context, b *Batch) error {
	if err := b.Check(); err != nil {
		return err
	}
	now := b.Now.UnixMilli()
	keys := make([]string, 0, 2*len(b.Ops)+1)
	args := make([]any, 0, 5*len(b.Ops)+3)
	var version [8]byte
	binary.BigEndian.PutUint64(version[:], b.Stamp)
	mode := "-"
	switch stamped, marked := b.repeats(); {
	case marked:
		mode, keys = "m", append(keys, Key{b.Shard, KindMarker, string(version[:])}.redis())
	case stamped.Kind != 0:
		mode, keys = "k", append(keys, stamped.redis())
	}
	args = append(args, string(version[:]), now, mode)

	for i, o := range b.Ops {
		switch o.Do {
		case Expect, ExpectGone:
			code := "e"
			if o.Do == ExpectGone {
				code = "g"
			}
			keys = append(keys, o.Key.redis())
			for _, k := range o.Or {
				keys = append(keys, k.redis())
			}
			args = append(args, code, i+1, 1+len(o.Or), string(binary.BigEndian.AppendUint64(nil, o.Version)))
		case ExpectDue:
			keys = append(keys, o.Key.redis(), o.Key.redisValues())
			args = append(args, "t", i+1, o.ID, o.At.UnixMicro())
		}
	}
	for _, o := range b.Ops {
		left := o.Until.UnixMilli() - now
		switch {
		case o.Do == Put && left > 0:
			keys = append(keys, o.Key.redis())
			args = append(args, "p", append(putHeader(make([]byte, 0, header+len(o.Value)), b.Stamp, o.Until), o.Value...), left)
		case o.Do == Put || o.Do == Delete:
			keys = append(keys, o.Key.redis())
			args = append(args, "x")
			if o.Key.Kind.Row().Shape == Queue {
				keys = append(keys, o.Key.redisValues())
				args = append(args, "x")
			}
		case o.Do == Add && left > 0:
			keys = append(keys, o.Key.redis())
			args = append(args, "a", o.ID, o.N, o.Until.UnixMilli(), left)
		case o.Do == Enqueue && left > 0:
			keys = append(keys, o.Key.redis(), o.Key.redisValues())
			value := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(o.Value)), uint64(o.Until.UnixMilli()))
			args = append(args, "q", o.ID, o.At.UnixMicro(), append(value, o.Value...), left)
		case o.Do == Postpone:
			keys = append(keys, o.Key.redis())
			args = append(args, "s", o.ID, o.At.UnixMicro())
		case o.Do == Acknowledge || o.Do == Enqueue:
			keys = append(keys, o.Key.redis(), o.Key.redisValues())
			args = append(args, "r", o.ID)
		case o.Do == Drop:
			keys = append(keys, o.Key.redis(), o.Key.redisValues())
			args = append(args, "d", o.ID)
		}
	}
	n, err := commitScript.Run(ctx, r.c, keys, args...).Int()
	if err != nil {
		return failed("commit", err)
	}
	if n != 0 {
		return &ConflictError{Op: n - 1}
	}
	return nil
}

// queueScript reads what is due.
//
//	KEYS[1]  the order   KEYS[2]  the values
//	ARGV[1]  by when, microseconds or +inf   ARGV[2]  how many   ARGV[3]  now, milliseconds
//
// Answers id, time, value in turns. Entries that have ended are removed on the
// way, if the server takes writes; otherwise they would stand before the others.
var queueScript = redis.NewScript(`
local most, now, from, out = tonumber(ARGV[2]), tonumber(ARGV[3]), 0, {}
while #out < 3 * most do
  local ids = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', from, most, 'WITHSCORES')
  if #ids == 0 then break end
  local gone = {}
  for i = 1, #ids, 2 do
    local v = redis.call('HGET', KEYS[2], ids[i])
    local ends = 0
    if v and #v >= 8 then ends = struct.unpack('>I8', v) end
    if ends <= now then
      gone[#gone+1] = ids[i]
    elseif #out < 3 * most then
      out[#out+1], out[#out+2], out[#out+3] = ids[i], ids[i+1], string.sub(v, 9)
    end
  end
  from = from + #ids / 2
  for _, id in ipairs(gone) do
    if type(redis.pcall('ZREM', KEYS[1], id)) == 'number' then from = from - 1 end
    redis.pcall('HDEL', KEYS[2], id)
  end
end
return out
`)

// Queue is one EVALSHA.
func (r *Redis) Queue(ctx context.Context, q Key, by time.Time, most int) ([]Item, error) {
	if err := sameShard(Queue, []Key{q}); err != nil {
		return nil, err
	}
	if most <= 0 {
		return nil, nil
	}
	var until any = "+inf"
	if !by.IsZero() {
		until = by.UnixMicro()
	}
	out, err := queueScript.Run(ctx, r.c, []string{q.redis(), q.redisValues()}, until, most, r.now().UnixMilli()).StringSlice()
	if err != nil {
		return nil, failed("read queue", err)
	}
	items := make([]Item, 0, len(out)/3)
	for i := 0; i+2 < len(out); i += 3 {
		at, err := strconv.ParseFloat(out[i+1], 64)
		if err != nil {
			return nil, failed("read queue", err)
		}
		items = append(items, Item{ID: out[i], At: time.UnixMicro(int64(at)), Value: []byte(out[i+2])})
	}
	return items, nil
}

// Counts is one HGETALL.
func (r *Redis) Counts(ctx context.Context, k Key) (map[string]int64, error) {
	if err := sameShard(Counter, []Key{k}); err != nil {
		return nil, err
	}
	raw, err := r.c.HGetAll(ctx, k.redis()).Result()
	if err != nil {
		return nil, failed("read counter", err)
	}
	until, err := strconv.ParseInt(raw[""], 10, 64)
	if err != nil || until <= r.now().UnixMilli() {
		return map[string]int64{}, nil
	}
	delete(raw, "")
	counts := make(map[string]int64, len(raw))
	for f, v := range raw {
		if counts[f], err = strconv.ParseInt(v, 10, 64); err != nil {
			return nil, failed("read counter", err)
		}
	}
	return counts, nil
}

// Page scans one master after another. A cursor is "<address> <cursor there>".
func (r *Redis) Page(ctx context.Context, kind Kind, cursor string, most int) ([]Key, string, error) {
	if kind.Row().Kind == 0 {
		return nil, "", fmt.Errorf("%w: unknown kind", ErrBatch)
	}
	nodes := map[string]*redis.Client{}
	var mu sync.Mutex
	if err := r.masters(ctx, func(_ context.Context, addr string, c *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		nodes[addr] = c
		return nil
	}); err != nil {
		return nil, "", failed("page", err)
	}
	var addrs []string
	for a := range nodes {
		addrs = append(addrs, a)
	}
	slices.Sort(addrs)
	at, here, _ := strings.Cut(cursor, " ")
	i, found := slices.BinarySearch(addrs, at)
	if i == len(addrs) {
		return nil, "", nil
	}
	var from uint64
	if found && here != "" {
		n, err := strconv.ParseUint(here, 10, 64)
		if err != nil {
			return nil, "", fmt.Errorf("%w: not a cursor", ErrBatch)
		}
		from = n
	}
	names, next, err := nodes[addrs[i]].Scan(ctx, from, redisPattern(kind), int64(max(most, 10))).Result()
	if err != nil {
		return nil, "", failed("page", err)
	}
	keys := make([]Key, 0, len(names))
	for _, n := range names {
		if k, ok := parseRedis(kind, n); ok {
			keys = append(keys, k)
		}
	}
	switch {
	case next != 0:
		cursor = addrs[i] + " " + strconv.FormatUint(next, 10)
	case i+1 < len(addrs):
		cursor = addrs[i+1] + " 0"
	default:
		cursor = ""
	}
	return keys, cursor, nil
}

// leaseScript takes, renews or gives up a lease.
//
//	KEYS[1]  the lease   ARGV[1]  who asks   ARGV[2]  for how long, milliseconds; 0 = give up
//
// Answers 1 when the asker holds it, or gave it up.
var leaseScript = redis.NewScript(`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return 1
`)

// Lease is one EVALSHA. Its time is the server's.
func (r *Redis) Lease(ctx context.Context, name string, ttl time.Duration) (bool, error) {
	k := leaseKey(name)
	if ttl > k.Kind.Row().Life || ttl < 0 {
		return false, fmt.Errorf("%w: lease of %v", ErrBatch, ttl)
	}
	n, err := leaseScript.Run(ctx, r.c, []string{k.redis()}, r.owner, ttl.Milliseconds()).Int()
	if err != nil {
		return false, failed("lease", err)
	}
	return n == 1, nil
}

// Close closes all connections.
func (r *Redis) Close() error { return r.c.Close() }

// masters calls do for each server that takes writes, all at once in a Cluster.
func (r *Redis) masters(ctx context.Context, do func(context.Context, string, *redis.Client) error) error {
	switch c := r.c.(type) {
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error {
			return do(ctx, c.Options().Addr, c)
		})
	case *redis.Client:
		return do(ctx, "-", c)
	}
	return errors.New("unknown client")
}

// Status looks at every master, tries a write, and says what is unsafe.
func (r *Redis) Status(ctx context.Context) (Status, error) {
	s := Status{Backend: r.mode, Append: true}
	var mu sync.Mutex
	seen := map[string]bool{}
	unsafe := func(sentence string) {
		if !seen[sentence] {
			seen[sentence] = true
			s.Unsafe = append(s.Unsafe, sentence)
		}
	}
	err := r.masters(ctx, func(ctx context.Context, _ string, c *redis.Client) error {
		text, err := c.Info(ctx).Result()
		if err != nil {
			return err
		}
		info := map[string]string{}
		for line := range strings.Lines(text) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				info[name] = value
			}
		}
		fsync := ""
		if conf, err := c.ConfigGet(ctx, "appendfsync").Result(); err == nil {
			fsync = conf["appendfsync"]
		}
		mu.Lock()
		defer mu.Unlock()
		s.Nodes++
		version := info["redis_version"]
		if s.Version == "" || older(version, s.Version) {
			s.Version = version
		}
		s.Fsync, s.Eviction = fsync, info["maxmemory_policy"]
		if older(version, "7.0") {
			unsafe("The server is older than 7.0, which is the oldest this program is made for.")
		}
		if info["aof_enabled"] != "1" {
			s.Append = false
			unsafe("No append-only file: when the server restarts, every chat begins anew and replies not yet shown are lost. Set appendonly to yes.")
		} else if fsync == "no" {
			unsafe("The append-only file is written when the system likes to: set appendfsync to everysec or always.")
		}
		if s.Eviction != "" && s.Eviction != "noeviction" {
			unsafe("When memory is full the server throws records away. Set maxmemory-policy to noeviction.")
		}
		if info["role"] != "" && info["role"] != "master" {
			unsafe("The server is a replica and takes no writes.")
		}
		return nil
	})
	if err != nil {
		return s, failed("status", err)
	}
	if r.bare {
		unsafe("The server is used without a password.")
	}
	if r.plain {
		unsafe("The connection is not encrypted: use rediss.")
	}
	err = probe(ctx, r, r.now())
	s.Writable = err == nil
	if errors.Is(err, ErrRefused) {
		unsafe("The server refuses writes: its memory is full, it is read-only, or replicas are missing.")
	} else if err != nil {
		return s, err
	}
	slices.Sort(s.Unsafe)
	return s, nil
}

// probe writes something that means nothing, to see whether writes are taken.
func probe(ctx context.Context, s Store, now time.Time) error {
	b := NewBatch(0, now)
	b.Add(probeKey(0), "looked", 1, now.Add(KindProbe.Row().Life))
	return s.Commit(ctx, b)
}

// older compares versions such as 7.0.15 by their first two numbers.
func older(a, b string) bool {
	var x, y [2]int
	for i, s := range []string{a, b} {
		parts := strings.Split(s, ".")
		for j := 0; j < 2 && j < len(parts); j++ {
			n, _ := strconv.Atoi(parts[j])
			if i == 0 {
				x[j] = n
			} else {
				y[j] = n
			}
		}
	}
	return x[0] < y[0] || x[0] == y[0] && x[1] < y[1]
}

// failed turns an error of the client into one of ours.
func failed(doing string, err error) error {
	e := &Error{Doing: doing, kind: ErrUnavailable, cause: err}
	var server redis.Error
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		e.Class, e.kind = "given up", nil
	case errors.As(err, &server):
		e.Class = "server"
		code, _, _ := strings.Cut(server.Error(), " ")
		switch code {
		case "OOM":
			e.Class, e.kind = "full", ErrRefused
		case "READONLY", "NOREPLICAS", "MISCONF":
			e.Class, e.kind = "read-only", ErrRefused
		case "WRONGPASS", "NOAUTH", "NOPERM":
			e.Class = "login"
		case "LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY":
			e.Class = strings.ToLower(code)
		}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout(),
		errors.Is(err, redis.ErrPoolTimeout):
		e.Class = "timeout"
	default:
		e.Class = "connection"
	}
	return e
}

// CountTrips counts the commands this Store sends from now on; a script counts
// as one, a script the server has to be sent first as two. For tests.
func CountTrips(r *Redis) func() int64 {
	h := &tripHook{}
	r.c.AddHook(h)
	return h.n.Load
}

type tripHook struct{ n atomic.Int64 }

func (h *tripHook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *tripHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error {
		h.n.Add(1)
		return next(ctx, c)
	}
}

func (h *tripHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, c []redis.Cmder) error {
		h.n.Add(1)
		return next(ctx, c)
	}
}
