# What `tapwarden help` prints, as scdoc(5): texts of 80 columns become paragraphs, tables of a word
# and what it does become lists, and commands stay as they are.
#
# A line "@KIND NAME" begins a title, a section, or a part of one. Usages are what a "usage" and the
# part "verb" begin with; a "config" has sections and keys.

function escape(s) {
	gsub(/[\\*_`<>#]/, "\\\\&", s)
	return s
}

# A paragraph's first letter is no mark of a list, table or header.
function prose(s) {
	s = escape(s)
	return index("-.;|[]:", substr(s, 1, 1)) ? "\\" s : s
}

# Words to type are bold, what stands for others is underlined.
function words(s, out, token) {
	out = ""
	while (match(s, /[-A-Za-z0-9_.%{}\/+~!@]+/)) {
		token = substr(s, RSTART, RLENGTH)
		out = out escape(substr(s, 1, RSTART - 1))
		if (token ~ /^\.+$/)
			out = out token
		else
			out = out (token ~ /^[A-Z]+(\.\.\.)?$/ ? "_" escape(token) "_" : "*" escape(token) "*")
		s = substr(s, RSTART + RLENGTH)
	}
	return out escape(s)
}

function flush() {
	if (text != "")
		print (depth ? "\t" : "") (depth > 1 ? "\t" : "") prose(text) "\n"
	text = ""
}

function leave() {
	flush()
	if (usage != "")
		print usage "\n"
	usage = ""
	column = depth = 0
	last = ""
}

# A line that the first word of the next would have had room in ends a paragraph.
function add(s, first) {
	first = s
	sub(/ .*/, "", first)
	if (last ~ /\.$/ && length(last) + 1 + length(first) < 74)
		flush()
	text = text (text == "" ? "" : " ") s
}

# A word of a list; what it does follows, from the column `at` on.
function item(term, at, level) {
	flush()
	if (pending)
		print ""
	pending = 0
	print (level > 1 ? "\t" : "") words(term)
	depth = level
	if (level == 1)
		column = at
}

function escape_literal(s) {
	gsub(/\\/, "\\\\&", s)
	return s
}

# A command is broken where a page of 80 columns ends, before what is said of it if it can be.
function command(s, lead, cut) {
	if (length(s) > 68 && match(s, /   +[^ ]/)) {
		print lead escape_literal(substr(s, 1, RSTART - 1))
		print lead "    # " escape_literal(substr(s, RSTART + RLENGTH - 1))
		return
	}
	while (length(lead s) > 68) {
		for (cut = 66 - length(lead); cut > 1 && substr(s, cut, 1) != " "; cut--)
			;
		if (cut <= 1)
			break
		print lead escape_literal(substr(s, 1, cut) "\\")
		s = substr(s, cut + 1)
		lead = "    "
	}
	print lead escape_literal(s)
}

function literal_end() {
	if (literal)
		print "```\n"
	literal = 0
}

function part(kind, name) {
	literal_end()
	leave()
	mode = kind == "verb" ? "usage" : kind
	if (kind == "title") {
		sub(/ tapwarden /, " \"tapwarden ", name)
		print name "\"\n"
	} else {
		print (kind == "part" || kind == "verb" ? "## " : "# ") escape(name) "\n"
	}
}

# "TERM  what it does", once or twice in a line; 0 when the line is none.
function table(line, indent, level, n, field, i) {
	line = substr(line, indent + 1)
	n = split(line, field, /  +/)
	if (n < 2 || n % 2)
		return 0
	match(line, /  +/)
	for (i = 1; i < n; i += 2) {
		last = ""
		item(field[i], indent + RSTART + RLENGTH - 1, level)
		add(field[i + 1])
	}
	return 1
}

function usage_line(line) {
	sub(/^usage: */, "", line)
	sub(/^ */, "", line)
	if (usage != "")
		print usage "++"
	usage = words(line)
}

/^@/ {
	match($0, /^@[a-z]+/)
	part(substr($0, 2, RLENGTH - 1), substr($0, RLENGTH + 2))
	next
}

mode == "usage" && (/^usage:/ || /^ +tapwarden/) { usage_line($0); next }
mode == "usage" && NF {
	leave()
	mode = "section"
	print prose(toupper(substr($0, 1, 1)) substr($0, 2)) "\n"
	next
}

mode == "config" && /^\[/ { leave(); print "## " escape($0) "\n"; next }
mode == "config" && /^    [a-z0-9-]+ = / {
	leave()
	sub(/^ */, "")
	match($0, / = /)
	print "*" substr($0, 1, RSTART - 1) "*" escape(substr($0, RSTART)) "\n"
	depth = 1
	next
}
mode == "config" { if (NF) { sub(/^ */, ""); add($0) } else leave(); next }

!NF { literal_end(); leave(); previous = ""; next }

{
	match($0, /^ */)
	last = previous
	previous = $0
	indent = RLENGTH
	line = substr($0, indent + 1)
	inside = column && indent >= column
}

# Commands, and lines of the example.
!inside && (literal && indent || indent == 2 && (/tapwarden [a-z]/ || /^  curl/ || /^  [a-z0-9-]+ = / || /^  \[/)) {
	leave()
	if (!literal)
		print "```"
	literal = 1
	command(line, substr("    ", 1, indent - 2))
	next
}

{ literal_end() }

inside && line ~ /^--?[a-z].*[^ ]  / && table($0, indent, 2) { next }
inside { if (depth > 1 && !(indent > column)) { flush(); depth = 1 } add(line); next }
pending && indent > 2 { column = indent; pending = 0; add(line); next }
table($0, indent, 1) { pending = 0; next }
indent && line ~ /^-/ { leave(); item(line, 0, 1); pending = 1; next }
{ if (depth) leave(); add(line) }

END { literal_end(); leave() }
