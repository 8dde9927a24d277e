/* The pages work without this. It adds what a browser alone cannot: copy a text,
   share a link, print. It keeps nothing, and sends nothing anywhere. */
(function () {
	'use strict';
	var status = document.getElementById('status');

	function all(selector, run) {
		Array.prototype.forEach.call(document.querySelectorAll(selector), run);
	}
	function say(text) {
		status.textContent = '';
		setTimeout(function () { status.textContent = text; }, 50);
	}
	/* A button says for a moment that it is done, in words. */
	function done(button) {
		var text = button.textContent;
		if (button.disabled) { return; }
		button.disabled = true;
		button.textContent = button.getAttribute('data-done');
		say(button.textContent);
		setTimeout(function () { button.textContent = text; button.disabled = false; button.focus(); }, 1500);
	}
	function copy(text, button) {
		function old() {
			var area = document.createElement('textarea');
			area.value = text;
			area.setAttribute('readonly', '');
			area.className = 'vh';
			document.body.appendChild(area);
			area.select();
			try { if (document.execCommand('copy')) { done(button); } } catch (e) {}
			document.body.removeChild(area);
		}
		if (navigator.clipboard && navigator.clipboard.writeText) {
			navigator.clipboard.writeText(text).then(function () { done(button); }, old);
		} else {
			old();
		}
	}

	all('[data-copy]', function (button) {
		button.hidden = false;
		button.addEventListener('click', function () {
			var lines = [];
			Array.prototype.forEach.call(document.getElementById(button.getAttribute('data-copy')).querySelectorAll('.text .t'), function (t) { lines.push(t.textContent); });
			copy(lines.join('\n'), button);
		});
	});
	all('[data-print]', function (button) {
		button.hidden = false;
		button.addEventListener('click', function () { window.print(); });
	});
	all('[data-share]', function (button) {
		button.hidden = false;
		button.addEventListener('click', function () {
			var to = location.origin + button.getAttribute('data-share');
			if (navigator.share) {
				navigator.share({title: document.title, url: to}).catch(function () {});
			} else {
				copy(to, button);
			}
		});
	});

	/* Ticks live on the screen only: coming back or reloading shows none. */
	function untick() {
		all('.tick input', function (box) { box.checked = false; });
	}
	untick();
	window.addEventListener('pageshow', untick);

	/* The answer to a question stands under the address of its form. Without
	   this, Back would ask to send the question again. */
	var asked = document.getElementById('asked');
	if (asked && window.history.replaceState) {
		history.replaceState(null, '', asked.getAttribute('data-to'));
	}
	/* A question that was sent does not stand in its field when one comes back. */
	window.addEventListener('pageshow', function () {
		all('textarea, input[type=text]', function (field) { field.value = ''; });
	});

	/* A link into a list of themes opens it. */
	function open() {
		var at = location.hash && document.getElementById(location.hash.slice(1));
		while (at) {
			if (at.tagName === 'DETAILS') { at.open = true; }
			at = at.parentElement;
		}
	}
	window.addEventListener('hashchange', open);
	open();
	/* On paper: the whole address, and the national text beside the local one. */
	all('[data-address]', function (at) { at.textContent = location.origin + at.textContent; });
	window.addEventListener('beforeprint', function () {
		all('details.was', function (d) { d.open = true; });
	});
})();
