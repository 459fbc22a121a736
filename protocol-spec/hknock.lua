-- Shows the messages of hknock's challenge-response protocol (wire.md, certificate.md) in Wireshark and tshark.
--
--   tshark -X lua_script:hknock.lua -o hknock.keys:alice.toml -O hknock -r capture.pcap
--
-- or copied into the folder "Personal Lua Plugins" (Help, About, Folders). The preference `ports` says which UDP ports are a
-- responder's. The preference `keys` names files that open what is sealed, separated by commas: clients' profiles, and
-- responders' certificates (PEM). With a certificate, the client's or the responder's, only what every client with one could
-- read is opened: what one seals for the responder alone, and the Grants and Leases that follow, stay closed. Where the first
-- 8 bytes are the tag of a credential from `keys`, the port does not matter.
--
-- The cryptography is written out here because Wireshark 4.0 lends none to scripts. It is as slow as it looks, and for display only.

local hknock = Proto('hknock', 'hknock challenge-response')

-- 32-bit arithmetic: Lua 5.2 has a library for it, and Lua 5.4 (Wireshark 4.4) operators

local bits = bit32 or load [[return {
  band = function(a, b) return a & b end,
  bxor = function(a, b, c) return a ~ b ~ (c or 0) end,
  bnot = function(a) return ~a & 0xffffffff end,
  rshift = function(a, by) return a >> by end,
  rrotate = function(a, by) return (a >> by | a << 32 - by) & 0xffffffff end,
}]]()
local band, bxor, bnot = bits.band, bits.bxor, bits.bnot
local rshift, rrotate = bits.rshift, bits.rrotate
local WORDS = 4294967296 -- not 2^32, which Lua 5.4 has as a float

local function words_of(text, from, count, byte_order)
  local words = {}
  for i = 1, count do
    local a, b, c, d = text:byte(from + 4 * i - 4, from + 4 * i - 1)
    if byte_order == 'little' then a, b, c, d = d, c, b, a end
    words[i] = ((a * 256 + b) * 256 + c) * 256 + d
  end
  return words
end

local function bytes_of(words, byte_order)
  local bytes = {}
  for i, word in ipairs(words) do
    local a, b = rshift(word, 24), band(rshift(word, 16), 255)
    local c, d = band(rshift(word, 8), 255), band(word, 255)
    if byte_order == 'little' then a, b, c, d = d, c, b, a end
    bytes[i] = string.char(a, b, c, d)
  end
  return table.concat(bytes)
end

-- SHA-256 (FIPS 180-4), whose constants are the fractions of square and cube roots of primes

local SHA_START, SHA_ROUNDS = {}, {}
do
  local candidate = 2
  while #SHA_ROUNDS < 64 do
    local is_prime = true
    for divisor = 2, candidate - 1 do is_prime = is_prime and candidate % divisor ~= 0 end
    if is_prime then
      if #SHA_START < 8 then SHA_START[#SHA_START + 1] = math.floor(candidate ^ (1 / 2) % 1 * WORDS) end
      SHA_ROUNDS[#SHA_ROUNDS + 1] = math.floor(candidate ^ (1 / 3) % 1 * WORDS)
    end
    candidate = candidate + 1
  end
end

local function sha256_block(state, block)
  local w = words_of(block, 1, 16, 'big')
  for i = 17, 64 do
    local x, y = w[i - 15], w[i - 2]
    local s0 = bxor(rrotate(x, 7), rrotate(x, 18), rshift(x, 3))
    local s1 = bxor(rrotate(y, 17), rrotate(y, 19), rshift(y, 10))
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) % WORDS
  end
  local a, b, c, d, e, f, g, h = table.unpack(state)
  for i = 1, 64 do
    local s1 = bxor(rrotate(e, 6), rrotate(e, 11), rrotate(e, 25))
    local choice = bxor(band(e, f), band(bnot(e), g))
    local one = h + s1 + choice + SHA_ROUNDS[i] + w[i]
    local s0 = bxor(rrotate(a, 2), rrotate(a, 13), rrotate(a, 22))
    local majority = bxor(band(a, b), band(a, c), band(b, c))
    a, b, c, d, e, f, g, h = (one + s0 + majority) % WORDS, a, b, c, (d + one) % WORDS, e, f, g
  end
  for i, word in ipairs { a, b, c, d, e, f, g, h } do state[i] = (state[i] + word) % WORDS end
end

local function sha256(text)
  local length = bytes_of({ 0, #text * 8 }, 'big')
  local padded = text .. '\128' .. ('\0'):rep(-(#text + 9) % 64) .. length
  local state = { table.unpack(SHA_START) }
  for at = 1, #padded, 64 do sha256_block(state, padded:sub(at, at + 63)) end
  return bytes_of(state, 'big')
end

local function hmac(key, text)
  if #key > 64 then key = sha256(key) end
  key = key .. ('\0'):rep(64 - #key)
  local function pad(by) return (key:gsub('.', function(c) return string.char(bxor(c:byte(), by)) end)) end
  return sha256(pad(0x5c) .. sha256(pad(0x36) .. text))
end

--- HKDF-Expand to 32 bytes.
local function expand(key, label) return hmac(key, label .. '\1') end

-- AEAD_XChaCha20_Poly1305 (draft-irtf-cfrg-xchacha-03, RFC 8439)

local SIGMA = words_of('expand 32-byte k', 1, 4, 'little')

local function quarter_round(x, a, b, c, d)
  x[a] = (x[a] + x[b]) % WORDS; x[d] = rrotate(bxor(x[d], x[a]), 16)
  x[c] = (x[c] + x[d]) % WORDS; x[b] = rrotate(bxor(x[b], x[c]), 20)
  x[a] = (x[a] + x[b]) % WORDS; x[d] = rrotate(bxor(x[d], x[a]), 24)
  x[c] = (x[c] + x[d]) % WORDS; x[b] = rrotate(bxor(x[b], x[c]), 25)
end

local function chacha_state(key, last)
  local x = { table.unpack(SIGMA) }
  for i, word in ipairs(words_of(key, 1, 8, 'little')) do x[4 + i] = word end
  for i, word in ipairs(last) do x[12 + i] = word end
  return x
end

local function twenty_rounds(x)
  for _ = 1, 10 do
    for i = 1, 4 do quarter_round(x, i, 4 + i, 8 + i, 12 + i) end
    for i = 0, 3 do quarter_round(x, 1 + i, 5 + (i + 1) % 4, 9 + (i + 2) % 4, 13 + (i + 3) % 4) end
  end
  return x
end

local function hchacha20(key, nonce16)
  local x = twenty_rounds(chacha_state(key, words_of(nonce16, 1, 4, 'little')))
  return bytes_of({ x[1], x[2], x[3], x[4], x[13], x[14], x[15], x[16] }, 'little')
end

local function chacha20_block(key, counter, nonce12)
  local nonce = words_of(nonce12, 1, 3, 'little')
  local last = { counter, nonce[1], nonce[2], nonce[3] }
  local before, x = chacha_state(key, last), twenty_rounds(chacha_state(key, last))
  for i = 1, 16 do x[i] = (x[i] + before[i]) % WORDS end
  return bytes_of(x, 'little')
end

local function chacha20(key, nonce12, text)
  local out = {}
  for at = 1, #text, 64 do
    local stream = chacha20_block(key, (at + 63) / 64, nonce12)
    for i = at, math.min(at + 63, #text) do
      out[i] = string.char(bxor(text:byte(i), stream:byte(i - at + 1)))
    end
  end
  return table.concat(out)
end

--- Brings digits in base 256, of any size, back under 256; what is beyond 2^130 comes in again five times.
local function reduce(h)
  for _ = 1, 2 do
    local carry = 0
    for i = 1, 17 do
      local sum = h[i] + carry
      h[i], carry = sum % 256, math.floor(sum / 256)
    end
    carry = carry * 64 + math.floor(h[17] / 4)
    h[17] = h[17] % 4
    h[1] = h[1] + 5 * carry
  end
  return h
end

local function add(h, text)
  for i = 1, #text do h[i] = h[i] + text:byte(i) end
  return h
end

local function poly1305(key, text)
  local r = { key:byte(1, 16) }
  for _, i in ipairs { 4, 8, 12, 16 } do r[i] = band(r[i], 15) end
  for _, i in ipairs { 5, 9, 13 } do r[i] = band(r[i], 252) end
  r[17] = 0
  local h = {}
  for i = 1, 17 do h[i] = 0 end
  for at = 1, #text, 16 do
    add(h, text:sub(at, at + 15) .. '\1')
    local product = {}
    for i = 1, 17 do
      local sum = 0
      for j = 1, 17 do
        -- what is beyond 2^136 comes in again 320 times: 64 for the 6 bits down to 2^130, times 5
        sum = sum + h[j] * (j <= i and r[i - j + 1] or 320 * r[i - j + 18])
      end
      product[i] = sum
    end
    h = reduce(product)
  end
  -- the value that is left is below 2^130: take 2^130 - 5 away when it is not below that
  local less = { table.unpack(reduce(h)) }
  less[1] = less[1] + 5
  for i = 1, 16 do less[i], less[i + 1] = less[i] % 256, less[i + 1] + math.floor(less[i] / 256) end
  if less[17] >= 4 then h = less end
  add(h, key:sub(17, 32))
  local tag = {}
  for i = 1, 16 do
    tag[i] = string.char(h[i] % 256)
    h[i + 1] = h[i + 1] + math.floor(h[i] / 256)
  end
  return table.concat(tag)
end

--- The plaintext, or nil when the seal's tag is wrong.
local function open(key, nonce, ad, sealed)
  local subkey, nonce12 = hchacha20(key, nonce:sub(1, 16)), '\0\0\0\0' .. nonce:sub(17)
  local ciphertext, tag = sealed:sub(1, -17), sealed:sub(-16)
  local function padded(text) return text .. ('\0'):rep(-#text % 16) end
  local lengths = bytes_of({ #ad, 0, #ciphertext, 0 }, 'little')
  local one_time = chacha20_block(subkey, 0, nonce12):sub(1, 32)
  if poly1305(one_time, padded(ad) .. padded(ciphertext) .. lengths) ~= tag then return nil end
  return chacha20(subkey, nonce12, ciphertext)
end

-- Keys (wire.md, section 3; certificate.md, section 2.1)

local function keys_of(tag, secret, responder_id)
  local keys = { tag = tag, responder_id = responder_id }
  local prk = hmac('hknock/1 psk' .. responder_id .. tag, secret)
  for _, name in ipairs { 'request', 'challenge', 'response', 'grant', 'proof', 'session' } do
    keys[name] = expand(prk, 'hknock/1 ' .. name)
  end
  return keys
end

--- What all holders of certificates begin with; proves nothing, and opens no Grant.
local function lobby_of(point)
  local prk = hmac('hknock/1 certificate', point)
  local function derive(label) return expand(prk, 'hknock/1 certificate ' .. label) end
  local keys = keys_of(derive('tag'):sub(1, 8), derive('lobby'), derive('responder id'):sub(1, 16))
  keys.is_lobby = true
  return keys
end

local function lease_of(keys, session)
  return {
    name = keys.tag .. expand(session, 'hknock/1 lease id'):sub(1, 8),
    lease = expand(session, 'hknock/1 lease'),
    answer = expand(session, 'hknock/1 lease answer'),
  }
end

-- Files with keys

hknock.prefs.ports = Pref.range('UDP ports', '62202', 'Ports of responders', 65535)
hknock.prefs.keys = Pref.string('Keys', '',
  'Clients\' profiles, and responders\' certificates (PEM), separated by commas')

local function base64(text)
  local padded = text:gsub('%s', ''):gsub('-', '+'):gsub('_', '/')
  padded = padded .. ('='):rep(-#padded % 4)
  return ByteArray.new(padded, true):base64_decode():raw()
end

local function hex(text)
  return (text:gsub('%x%x', function(two) return string.char(tonumber(two, 16)) end))
end

--- A certificate's P-256 key: the one BIT STRING of 66 bytes that begins, after no unused bits, with an uncompressed point.
local function point_of(certificate)
  local at = certificate:find('\3\66\0\4', 1, true)
  return at and certificate:sub(at + 3, at + 67)
end

local function read_keys(path)
  local file, why = io.open(path, 'rb')
  if not file then return nil, why end
  local text = file:read('*a')
  file:close()
  local pem = text:match('%-%-BEGIN CERTIFICATE%-%-%-%-%-(.-)%-%-%-%-%-END')
  local point = pem and point_of(base64(pem))
  if point then return lobby_of(point) end
  local function field(name, value) return text:match('%f[%w]' .. name .. '%s*=%s*"' .. (value or '([%w_-]+)') .. '"') end
  local responder_point = field('certificate', '[%w_-]+ [%w_-]+ ([%w_-]+)')
  if responder_point then return lobby_of(base64(responder_point)) end
  local tag, secret, responder = field('tag'), field('secret'), field('responder')
  if not (tag and secret and responder) then return nil, path .. ': no profile, and no certificate for P-256' end
  return keys_of(hex(tag), base64(secret), base64(responder))
end

local credentials = {} -- by tag

local function read_all_keys()
  credentials = {}
  for path in hknock.prefs.keys:gmatch('[^,]+') do
    local keys, why = read_keys(path)
    if keys then credentials[keys.tag] = keys else report_failure('hknock: ' .. why) end
  end
end

-- Fields

local SEALS = { [0] = 'no key', [1] = 'right', [2] = 'wrong' }
local ADMISSIONS = { [0] = 'as the responder says', 'address', 'once', 'port', 'bound', 'gate' }
local BREADTHS = { [0] = 'address', 'prefix' }
local REASONS = {
  [0] = 'none', 'service-refused', 'admission-refused', 'limit-reached', 'firewall-failed', 'busy', 'prefix-refused',
}
local OPERATIONS = { 'renew', 'close' }
local STATUSES = { [0] = 'done', 'over', 'refused', 'failed' }
local PROTOCOLS = { 'tcp', 'udp' }

local fields = {
  message = ProtoField.string('hknock.message', 'Message'),
  tag = ProtoField.bytes('hknock.tag', 'Peer tag'),
  nonce = ProtoField.bytes('hknock.nonce', 'Nonce'),
  sealed = ProtoField.bytes('hknock.sealed', 'Sealed body'),
  seal = ProtoField.uint8('hknock.seal', 'Seal', base.DEC, SEALS),
  answers = ProtoField.framenum('hknock.answers', 'Answers', base.NONE, frametype.RESPONSE),
  claimed_ip = ProtoField.ipv4('hknock.claimed.ip', 'Claimed address'),
  claimed_ipv6 = ProtoField.ipv6('hknock.claimed.ipv6', 'Claimed address'),
  claimed_port = ProtoField.uint16('hknock.claimed.port', 'Claimed port'),
  observed_ip = ProtoField.ipv4('hknock.observed.ip', 'Observed address'),
  observed_ipv6 = ProtoField.ipv6('hknock.observed.ipv6', 'Observed address'),
  observed_port = ProtoField.uint16('hknock.observed.port', 'Observed port'),
  service = ProtoField.string('hknock.service', 'Service'),
  admission = ProtoField.uint8('hknock.admission', 'Admission', base.DEC, ADMISSIONS),
  breadth = ProtoField.uint8('hknock.breadth', 'Breadth', base.DEC, BREADTHS),
  issued_at = ProtoField.uint64('hknock.issued_at', 'Issued at (ms)'),
  cookie = ProtoField.bytes('hknock.cookie', 'Cookie'),
  initiator_nonce = ProtoField.bytes('hknock.initiator_nonce', 'Initiator nonce'),
  responder_nonce = ProtoField.bytes('hknock.responder_nonce', 'Responder nonce'),
  proof = ProtoField.bytes('hknock.proof', 'Proof'),
  is_proven = ProtoField.bool('hknock.proof.right', 'Proof is right'),
  ephemeral = ProtoField.bytes('hknock.ephemeral', 'Ephemeral key'),
  envelope = ProtoField.bytes('hknock.envelope', 'Envelope'),
  status = ProtoField.uint8('hknock.status', 'Status', base.DEC, { [0] = 'granted', 'refused' }),
  reason = ProtoField.uint8('hknock.reason', 'Reason', base.DEC, REASONS),
  acceptable = ProtoField.uint8('hknock.acceptable', 'Acceptable admissions', base.HEX),
  lifetime = ProtoField.uint32('hknock.lifetime', 'Lifetime (ms)'),
  grant = ProtoField.bytes('hknock.grant', 'Grant'),
  admission_port = ProtoField.uint16('hknock.admission_port', 'Admission port'),
  port_count = ProtoField.uint8('hknock.port_count', 'Port count'),
  port = ProtoField.string('hknock.port', 'Port'),
  lease = ProtoField.bytes('hknock.lease', 'Lease id'),
  sequence = ProtoField.uint64('hknock.sequence', 'Sequence number'),
  operation = ProtoField.uint8('hknock.operation', 'Operation', base.DEC, OPERATIONS),
  outcome = ProtoField.uint8('hknock.outcome', 'Outcome', base.DEC, STATUSES),
  zero = ProtoField.bytes('hknock.zero', 'Zero'),
}
hknock.fields = fields

local broken = ProtoExpert.new('hknock.seal.broken', 'The seal is wrong', expert.group.CHECKSUM, expert.severity.WARN)
local unproven = ProtoExpert.new('hknock.proof.wrong', 'The proof is wrong', expert.group.SECURITY, expert.severity.ERROR)
hknock.experts = { broken, unproven }

-- What bodies look like (wire.md, section 4). Each function gives what the packet list says of it.

local function show_endpoint(body, at, tree, name)
  local address = body(at, 16)
  if address(0, 12):bytes() == ByteArray.new('00000000000000000000ffff') then
    tree:add(fields[name .. '_ip'], body(at + 12, 4))
  else
    tree:add(fields[name .. '_ipv6'], address)
  end
  tree:add(fields[name .. '_port'], body(at + 16, 2))
end

--- Claimed endpoint, service, admission and breadth, as in a Request.
local function show_wish(body, at, tree)
  show_endpoint(body, at, tree, 'claimed')
  tree:add(fields.service, body(at + 18, 32))
  tree:add(fields.admission, body(at + 50, 1))
  tree:add(fields.breadth, body(at + 51, 1))
  return body(at + 18, 32):raw():match('^[^\0]*') -- stringz() would read on behind 32 letters
end

local show = {}

function show.Request(body, tree, keys)
  if keys.is_lobby then
    tree:add(fields.zero, body())
    return ' with a certificate'
  end
  return ' for ' .. show_wish(body, 0, tree)
end

function show.Challenge(body, tree)
  show_endpoint(body, 0, tree, 'observed')
  tree:add(fields.issued_at, body(18, 8))
  show_endpoint(body, 26, tree, 'claimed')
  tree:add(fields.cookie, body(44, 16))
  return ''
end

--- The beginning of what a Response repeats.
local function show_statement(body, tree)
  tree:add(fields.initiator_nonce, body(0, 24))
  tree:add(fields.responder_nonce, body(24, 24))
  show_endpoint(body, 48, tree, 'observed')
  tree:add(fields.issued_at, body(66, 8))
end

function show.Response(body, tree, keys, result)
  show_statement(body, tree)
  local service = show_wish(body, 74, tree)
  tree:add(fields.cookie, body(126, 16))
  local proof = tree:add(fields.proof, body(142, 32))
  tree:add(fields.is_proven, result.is_proven):set_generated()
  if result.is_proven then return ' for ' .. service end
  proof:add_proto_expert_info(unproven)
  return ' for ' .. service .. ' (proof wrong)'
end

show['Certificate Response'] = function(body, tree)
  show_statement(body, tree)
  tree:add(fields.cookie, body(74, 16))
  tree:add(fields.ephemeral, body(90, 65))
  tree:add(fields.envelope, body(155, 834))
  return ''
end

function show.Grant(body, tree)
  tree:add(fields.status, body(0, 1))
  tree:add(fields.reason, body(1, 1))
  tree:add(fields.admission, body(2, 1))
  tree:add(fields.acceptable, body(3, 1))
  tree:add(fields.lifetime, body(4, 4))
  tree:add(fields.grant, body(8, 8))
  show_endpoint(body, 16, tree, 'observed')
  tree:add(fields.admission_port, body(34, 2))
  tree:add(fields.port_count, body(36, 1))
  tree:add(fields.breadth, body(37, 1))
  for at = 38, 38 + 3 * math.min(body(36, 1):uint(), 16) - 3, 3 do
    local port = (PROTOCOLS[body(at, 1):uint()] or '?') .. '/' .. body(at + 1, 2):uint()
    tree:add(fields.port, body(at, 3), port)
  end
  if body(0, 1):uint() == 0 then return ': ' .. (ADMISSIONS[body(2, 1):uint()] or '?') end
  return ': refused, ' .. (REASONS[body(1, 1):uint()] or '?')
end

function show.Lease(body, tree)
  tree:add(fields.sequence, body(0, 8))
  tree:add(fields.operation, body(8, 1))
  tree:add(fields.zero, body(9, 7))
  return ': ' .. (OPERATIONS[body(8, 1):uint()] or '?') .. ', ' .. tostring(body(0, 8):uint64())
end

show['Lease Answer'] = function(body, tree)
  tree:add(fields.outcome, body(0, 1))
  tree:add(fields.zero, body(1, 3))
  tree:add(fields.lifetime, body(4, 4))
  return ': ' .. (STATUSES[body(0, 1):uint()] or '?')
end

-- What has been seen. A body is opened when its packet is first dissected, in the order of the capture: later, Wireshark
-- dissects packets as the user selects them.

local MOST_PENDING = 16 -- messages of one flow that may still be answered

local results -- by frame number and length
local pending -- by flow: what was asked, the latest last
local leases -- by tag and lease id

local function flow(from, from_port, to, to_port)
  return tostring(from) .. ' ' .. from_port .. ' ' .. tostring(to) .. ' ' .. to_port
end

local function remember(pinfo, message)
  local name = flow(pinfo.src, pinfo.src_port, pinfo.dst, pinfo.dst_port)
  local list = pending[name] or {}
  pending[name] = list
  list[#list + 1] = message
  message.frame = pinfo.number
  if #list > MOST_PENDING then table.remove(list, 1) end
end

--- The message of a kind in the other direction that `try` has something for, the latest first, and what that is.
local function find_asked(pinfo, kind, try)
  local list = pending[flow(pinfo.dst, pinfo.dst_port, pinfo.src, pinfo.src_port)] or {}
  local has_key = false
  for i = #list, 1, -1 do
    local asked = list[i]
    if asked.kind == kind then
      local body = asked.has_key and try(asked)
      if body then return { body = body, keys = asked.keys, answers = asked.frame } end
      has_key = has_key or asked.has_key
    end
  end
  return { is_broken = has_key }
end

local judge = {}

function judge.Request(data, pinfo)
  local keys, nonce = credentials[data:sub(1, 8)], data:sub(9, 32)
  remember(pinfo, { kind = 'Request', has_key = keys ~= nil, keys = keys, nonce = nonce })
  if not keys then return {} end
  local body = open(keys.request, nonce, keys.tag, data:sub(33))
  return { body = body, keys = keys, is_broken = not body }
end

function judge.Challenge(data, pinfo)
  return find_asked(pinfo, 'Request', function(asked)
    return open(asked.keys.challenge, data:sub(1, 24), asked.keys.tag .. asked.nonce, data:sub(25))
  end)
end

function judge.Response(data, pinfo)
  local keys = credentials[data:sub(1, 8)]
  local body = keys and open(keys.response, data:sub(9, 32), keys.tag, data:sub(33))
  if not body then
    remember(pinfo, { kind = 'Response' })
    return { is_broken = keys ~= nil }
  end
  local transcript = sha256('hknock/1 transcript' .. keys.responder_id .. keys.tag .. body:sub(1, 142))
  remember(pinfo, { kind = 'Response', has_key = true, keys = keys, transcript = transcript })
  local lease = lease_of(keys, expand(keys.session, 'hknock/1 session secret' .. transcript))
  leases[lease.name] = lease
  return { body = body, keys = keys, is_proven = hmac(keys.proof, transcript) == body:sub(143) }
end

judge['Certificate Response'] = function(data, pinfo)
  remember(pinfo, { kind = 'Response' })
  local keys = credentials[data:sub(1, 8)]
  local body = keys and open(keys.response, data:sub(9, 32), keys.tag, data:sub(33))
  return { body = body, keys = keys, is_broken = keys and not body }
end

function judge.Grant(data, pinfo)
  return find_asked(pinfo, 'Response', function(asked)
    return open(asked.keys.grant, data:sub(1, 24), asked.transcript, data:sub(25))
  end)
end

function judge.Lease(data, pinfo)
  local keys = leases[data:sub(1, 16)]
  local body = keys and open(keys.lease, data:sub(17, 40), keys.name, data:sub(41))
  local sequence = body and body:sub(1, 8)
  remember(pinfo, { kind = 'Lease', has_key = body ~= nil, keys = keys, sequence = sequence })
  return { body = body, keys = keys, is_broken = keys and not body }
end

judge['Lease Answer'] = function(data, pinfo)
  return find_asked(pinfo, 'Lease', function(asked)
    return open(asked.keys.answer, data:sub(1, 24), asked.keys.name .. asked.sequence, data:sub(25))
  end)
end

-- Messages

local KINDS = {
  [222] = 'Response', [1037] = 'Certificate Response', [126] = 'Grant', [72] = 'Lease', [48] = 'Lease Answer',
}
local HAS_TAG = { Request = true, Response = true, ['Certificate Response'] = true, Lease = true }

--- A Request and a Challenge have one length. Tags and the capture tell them apart, and else the port.
local function kind_of(data, pinfo)
  if #data ~= 100 then return KINDS[#data] end
  if credentials[data:sub(1, 8)] then return 'Request' end
  if pending[flow(pinfo.dst, pinfo.dst_port, pinfo.src, pinfo.src_port)] then return 'Challenge' end
  return pinfo.src_port == pinfo.match_uint and 'Challenge' or 'Request'
end

local function show_sealed(tvb, tree, result, kind)
  local item = tree:add(fields.sealed, tvb)
  local seal = result.body and 1 or result.is_broken and 2 or 0
  tree:add(fields.seal, seal):set_generated()
  if seal == 2 then item:add_proto_expert_info(broken) end
  if seal ~= 1 then return seal == 2 and ' (seal wrong)' or '' end
  local body = ByteArray.new(result.body, true):tvb('Opened body')
  return show[kind](body, tree:add(hknock, body(), 'Body'), result.keys, result)
end

function hknock.dissector(tvb, pinfo, tree)
  if tvb:len() < tvb:reported_len() then return 0 end
  local data = tvb:raw()
  local name = pinfo.number .. ' ' .. #data -- a tunnel can have two in one frame
  local result = results[name]
  if not result then
    local kind = kind_of(data, pinfo)
    if not kind then return 0 end
    result = judge[kind](data, pinfo)
    result.kind = kind
    results[name] = result
  end
  local kind, at = result.kind, 0
  local item = tree:add(hknock, tvb())
  item:add(fields.message, kind):set_generated()
  if HAS_TAG[kind] then
    item:add(fields.tag, tvb(0, 8))
    at = 8
  end
  if kind == 'Lease' then
    item:add(fields.lease, tvb(8, 8))
    at = 16
  end
  item:add(fields.nonce, tvb(at, 24))
  local says = kind .. show_sealed(tvb(at + 24), item, result, kind)
  if result.answers then item:add(fields.answers, result.answers):set_generated() end
  item:append_text(', ' .. says)
  pinfo.cols.protocol = 'hknock'
  pinfo.cols.info = says
  return tvb:len()
end

-- Which packets

local HEAD_LENGTHS = { [100] = true, [222] = true, [1037] = true, [72] = true }

--- On any port: a datagram that begins with the tag of a credential. The answers to it follow by its conversation.
hknock:register_heuristic('udp', function(tvb, pinfo, tree)
  if not HEAD_LENGTHS[tvb:len()] or not credentials[tvb:raw(0, 8)] then return false end
  pinfo.conversation = hknock
  return hknock.dissector(tvb, pinfo, tree) > 0
end)

local by_port = DissectorTable.get('udp.port')
local ports = hknock.prefs.ports
by_port:add(ports, hknock)

function hknock.prefs_changed()
  if ports == hknock.prefs.ports then return end
  by_port:remove(ports, hknock)
  ports = hknock.prefs.ports
  by_port:add(ports, hknock)
end

function hknock.init()
  results, pending, leases = {}, {}, {}
  read_all_keys()
end
