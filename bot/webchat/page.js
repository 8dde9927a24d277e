/*
 * The chat works without this. With it, answers are added to the page instead
 * of replacing it, exit is faster, and texts can be read aloud. Plain ES5, for
 * old phones. Nothing is kept anywhere but in the page: no storage, no history
 * entries, no timers that outlive the page. Comments stand on lines of their
 * own and are left out of what is sent.
 */
(function () {
'use strict';
var doc = document, root = doc.documentElement, win = window;
if (!doc.addEventListener || !doc.querySelector || !win.XMLHttpRequest) { return; }

var KEPT = 24;
var gone = false;
var calling = false;
var pressed = null;
var request = null;
var used = false;

function id(x) { return doc.getElementById(x); }
function all(x, inside) { return (inside || doc).querySelectorAll(x); }
function has(e, name) { return e && e.nodeType === 1 && e.getAttribute(name) !== null; }
function up(e, test) {
  while (e && e !== doc && !test(e)) { e = e.parentNode; }
  return e === doc ? null : e;
}
function word(name) { var now = id('now'); return now ? now.getAttribute('data-' + name) || '' : ''; }

/*
 * Leaving (S22, S23). First the screen, then the server, then the address; all
 * in one turn, so the browser paints nothing in between.
 */
function blank() {
  root.className = 'gone';
  doc.body.textContent = '';
}
function forget() {
  var s = doc.querySelector('input[name=s]');
  return s ? 's=' + encodeURIComponent(s.value) + '&j=1' : '';
}
function tell(body) {
  var kind = 'application/x-www-form-urlencoded', x;
  if (!body) { return; }
  try {
    if (navigator.sendBeacon && navigator.sendBeacon('/ut', new Blob([body], { type: kind }))) { return; }
  } catch (e) { }
  x = new XMLHttpRequest();
  x.open('POST', '/ut', true);
  x.setRequestHeader('Content-Type', kind);
  x.send(body);
}
function exit() {
  var body;
  if (gone) { return; }
  gone = true;
  body = forget();
  blank();
  if (request) { request.abort(); request = null; }
  hush();
  tell(body);
  win.location.replace(root.getAttribute('data-out'));
}

/* Shift three times, each within five seconds of the one before. Any other key
   in between starts over, so that capital letters do not count. */
var shifts = 0, shiftAt = 0, shiftDown = false;
doc.addEventListener('keydown', function (e) {
  var shift = e.key === 'Shift' || e.keyCode === 16, now = new Date().getTime();
  if (!shift) { shifts = 0; return; }
  if (shiftDown || e.repeat) { return; }
  shiftDown = true;
  shifts = shifts && now - shiftAt <= 5000 ? shifts + 1 : 1;
  shiftAt = now;
  if (shifts >= 3) { exit(); }
}, true);
doc.addEventListener('keyup', function (e) {
  if (e.key === 'Shift' || e.keyCode === 16) { shiftDown = false; }
}, true);

/*
 * Coming back (S24). A page that the browser kept alive, or one it made by
 * sending a form again, is emptied before anything else. What is left behind
 * on leaving is empty too. Following a telephone link is not leaving.
 */
function restart() {
  gone = true;
  blank();
  win.location.replace('/');
}
win.addEventListener('pageshow', function (e) { if (e.persisted) { restart(); } });
win.addEventListener('pagehide', function () {
  var body;
  if (gone || calling) { return; }
  body = used ? forget() : '';
  gone = true;
  blank();
  hush();
  tell(body);
});
(function () {
  var p = win.performance, n = p && p.getEntriesByType && p.getEntriesByType('navigation')[0];
  var how = n ? n.type : p && p.navigation ? p.navigation.type : '';
  if (has(root, 'data-posted') && (how === 'reload' || how === 'back_forward' || how === 1 || how === 2)) { restart(); }
})();
if (gone) { return; }

/* When the page is zoomed with two fingers the bar may lie outside of what is
   seen. A second exit then follows the visible part. */
var eye = win.visualViewport, float = id('float');
function follow() {
  var k = eye.scale, rtl = root.dir === 'rtl', label = doc.querySelector('.exit');
  if (!label || gone) { return; }
  float.hidden = !(k > 1.05);
  if (float.hidden) { return; }
  float.textContent = label.textContent;
  float.style.transform = 'scale(' + 1 / k + ')';
  float.style.top = eye.pageTop + 8 / k + 'px';
  float.style.left = (rtl ? eye.pageLeft + 8 / k : eye.pageLeft + eye.width - (float.offsetWidth + 8) / k) + 'px';
}
if (eye && float) {
  eye.addEventListener('resize', follow);
  eye.addEventListener('scroll', follow);
  win.addEventListener('scroll', follow);
}

/*
 * Pressing. The form goes out in the background, the pieces of the answer come
 * back as HTML from our own server and take their places.
 */
doc.addEventListener('click', function (e) {
  var out = up(e.target, function (x) { return has(x, 'data-exit'); });
  var button = up(e.target, function (x) { return x.tagName === 'BUTTON' || x.tagName === 'A'; });
  if (out && (out.tagName !== 'FORM')) { e.preventDefault(); exit(); return; }
  pressed = button && button.tagName === 'BUTTON' ? button : null;
  if (pressed && pressed.id === 'listen') { listen(); }
  if (button && /^tel:/.test(button.getAttribute('href') || '')) {
    calling = true;
    setTimeout(function () { calling = false; }, 3000);
  }
});
doc.addEventListener('submit', function (e) {
  var form = e.target, button = e.submitter || pressed;
  pressed = null;
  e.preventDefault();
  if (gone) { return; }
  if (has(form, 'data-exit')) { exit(); return; }
  send(form, button && up(button, function (x) { return x === form; }) ? button : null);
});

function send(form, button) {
  var help = button && button.name === 'h', said = form.id === 'say', parts = [], own = null, late, i, f, x;
  /* One press at a time; help does not wait for anything (S6). */
  if (request && !help) { return; }
  if (request) { request.abort(); }
  for (i = 0; i < form.elements.length; i++) {
    f = form.elements[i];
    if (f.name && f.tagName === 'INPUT') { parts.push(f.name + '=' + encodeURIComponent(f.value)); }
  }
  if (button && button.name) { parts.push(button.name + '=' + encodeURIComponent(button.value)); }

  used = true;
  hush();
  /* What was typed is not shown again, and leaves the field (S54). */
  if (said) { own = bubble(word('wrote')); }
  else if (form.id === 'choose' && button) { own = bubble(button.textContent); }
  if (own && id('log')) { id('log').appendChild(own); }
  if (button) { button.className += ' busy'; }
  root.setAttribute('aria-busy', 'true');

  x = request = new XMLHttpRequest();
  x.open('POST', '/', true);
  x.setRequestHeader('Content-Type', 'application/x-www-form-urlencoded');
  x.setRequestHeader('X-Trygg', '1');
  late = setTimeout(function () { say(word('wait')); }, 700);
  var limit = setTimeout(function () { if (request === x) { x.abort(); done(); } }, help ? 4000 : 15000);
  function done() {
    clearTimeout(late);
    clearTimeout(limit);
    if (button) { button.className = button.className.replace(' busy', ''); }
    if (request !== x || gone) { return; }
    request = null;
    root.removeAttribute('aria-busy');
    say('');
    if (x.getResponseHeader && x.readyState === 4 && x.getResponseHeader('X-Trygg') === 'out') { exit(); return; }
    if (x.readyState === 4 && x.status === 200 && x.responseText.indexOf('class="turn"') >= 0) {
      put(x.responseText, own, said);
    } else {
      failed(help, own);
    }
  }
  x.onload = x.onerror = done;
  x.send(parts.join('&'));
}

function bubble(text) {
  var b = doc.createElement('div'), p = doc.createElement('p');
  b.className = 'bubble own';
  b.lang = root.lang;
  p.textContent = text;
  b.appendChild(p);
  return b;
}

function put(html, own, said) {
  var box = doc.createElement('div'), log = id('log'), names = ['top', 'now', 'say', 'card'], i, old, fresh, turn, w, text;
  box.innerHTML = html;
  turn = box.querySelector('.turn');
  if (!log) { win.location.replace('/'); return; }
  if (box.querySelector('[data-fresh]')) {
    log.textContent = '';
    own = null;
    said = true;
    used = false;
  }
  w = id('w');
  text = w && !said ? w.value : '';
  for (i = 0; i < names.length; i++) {
    fresh = box.querySelector('#' + names[i]);
    old = id(names[i]);
    if (fresh && old) { old.parentNode.replaceChild(fresh, old); }
  }
  if (id('w')) { id('w').value = text; }
  root.lang = word('lang') || root.lang;
  root.dir = word('dir') || root.dir;
  doc.title = word('title') || doc.title;
  log.appendChild(turn);
  /* What is long past need not stand on the screen. */
  while (log.childNodes.length > KEPT) { log.removeChild(log.firstChild); }
  show(turn, own);
  voices();
}

/* When we cannot be reached, help is the card the page came with (S3). */
function failed(help, own) {
  var turn = doc.createElement('div'), card = id('card'), note;
  turn.className = 'turn';
  turn.tabIndex = -1;
  if (own) { own.parentNode.removeChild(own); }
  if (help && card && card.firstChild) {
    turn.innerHTML = card.innerHTML;
  } else {
    note = doc.createElement('p');
    note.className = 'toast';
    note.textContent = word('offline');
    turn.appendChild(note);
  }
  /* The same line does not pile up. */
  var last = id('log').lastChild;
  if (last && last.nodeType === 1 && last.textContent === turn.textContent) { id('log').removeChild(last); }
  id('log').appendChild(turn);
  show(turn, null);
}

/* The new answer is where reading goes on: for the eye under the bar at the
   top, for the keyboard before its first choice. */
function show(turn, own) {
  var bar = id('top'), first = own || turn;
  try { turn.focus({ preventScroll: true }); } catch (e) { turn.focus(); }
  win.scrollTo(0, Math.max(0, first.getBoundingClientRect().top + win.pageYOffset - (bar ? bar.offsetHeight : 0) - 12));
}
function say(text) { var s = id('status'); if (s) { s.textContent = text; } }

/*
 * Reading aloud (S67): only with a voice that lives in the phone, since others
 * send the text away, and only when somebody asks for it.
 */
var synth = win.speechSynthesis, spoken = [];
function voice(lang) {
  var like = lang === 'nn' ? ['nn', 'nb', 'no'] : lang === 'nb' ? ['nb', 'no'] : [lang], list, i, j;
  list = synth && synth.getVoices ? synth.getVoices() : [];
  for (i = 0; i < like.length; i++) {
    for (j = 0; j < list.length; j++) {
      if (list[j].localService && list[j].lang.toLowerCase().split(/[-_]/)[0] === like[i]) { return list[j]; }
    }
  }
  return null;
}
function voices() {
  var b = id('listen');
  if (b) { b.hidden = !voice(root.lang); }
}
function hush() {
  if (synth) { synth.cancel(); }
  spoken = [];
  var b = id('listen');
  if (b) { b.textContent = b.getAttribute('data-read'); }
}
function listen() {
  var turns = all('.turn'), last = turns[turns.length - 1], parts, i, v, u;
  if (spoken.length) { hush(); return; }
  parts = last ? all('.bubble', last) : [];
  for (i = 0; i < parts.length; i++) {
    v = voice(parts[i].lang || root.lang);
    if (!v) { continue; }
    u = new win.SpeechSynthesisUtterance(parts[i].textContent);
    u.voice = v;
    u.lang = v.lang;
    u.rate = 0.95;
    /* Kept, or some browsers forget to tell when they are done. */
    spoken.push(u);
  }
  if (!spoken.length) { return; }
  spoken[spoken.length - 1].onend = hush;
  for (i = 0; i < spoken.length; i++) { synth.speak(spoken[i]); }
  id('listen').textContent = id('listen').getAttribute('data-stop');
}
if (synth) {
  if (synth.addEventListener) { synth.addEventListener('voiceschanged', voices); }
  else { synth.onvoiceschanged = voices; }
  voices();
}
})();
