-- Tables, strings and closures: trees that die young, a long-lived index, and text that is cut and joined.
local amount = tonumber(arg[1])

local function tree(depth)
  if depth == 0 then return {} end
  return { tree(depth - 1), tree(depth - 1) }
end

local function check(node)
  if node[1] then return 1 + check(node[1]) + check(node[2]) end
  return 1
end

local index, total = {}, 0
for round = 1, amount do
  total = total + check(tree(14))
  for i = 1, 4000 do
    index[(round * 7919 + i * 31) % 50000] = { name = "entry " .. i .. ":" .. round, values = { i, round, i * round } }
  end
  local parts = {}
  for i = 1, 3000 do parts[i] = string.format("%d=%s", i, string.rep("ab", i % 20)) end
  local text = table.concat(parts, ";")
  for word in text:gmatch("[^;]+") do total = total + #word end
end
print(total)
