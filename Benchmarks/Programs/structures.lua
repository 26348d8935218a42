-- Large structures that are built whole and dropped whole: a list, a hash of strings, a matrix, and a deep tree.
local amount = tonumber(arg[1])

local function list(count)
  local first
  for i = 1, count do first = { value = i, next = first } end
  return first
end

local function hash(count, round)
  local entries = {}
  for i = 1, count do entries["key " .. i * round] = "value " .. i end
  return entries
end

local function matrix(rows, columns)
  local all = {}
  for row = 1, rows do
    local line = {}
    for column = 1, columns do line[column] = row * column + 0.5 end
    all[row] = line
  end
  return all
end

local function tree(depth)
  if depth == 0 then return { leaf = true } end
  return { left = tree(depth - 1), right = tree(depth - 1) }
end

local total = 0
for round = 1, amount do
  local all = { list(200000), hash(60000, round), matrix(500, 300), tree(15) }
  total = total + all[1].value + #all[3]
  all = nil
  collectgarbage()
end
print(total)
