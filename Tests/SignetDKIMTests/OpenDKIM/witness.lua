-- Runs one of OpenDKIM's milter tests, which miltertest is told of as SCRIPT, against a filter on TESTSOCKET,
-- and prints all that it complains of: by itself it would stop at its first complaint.

function error(text)
	print("complaint: " .. text)
end

-- A filter that refuses its configuration leaves the file REFUSED; nobody needs to wait for it then.
-- One that starts gets ten times what the scripts give it: two seconds are too few on a busy machine.
local connect = mt.connect
function mt.connect(socket, attempts, interval)
	for _ = 1, attempts * 10 do
		local mark = io.open(REFUSED)
		if mark then
			mark:close()
			return nil
		end
		local connected, connection = pcall(connect, socket)
		if connected and connection then return connection end
		mt.sleep(interval)
	end
	return nil
end

local ended, why = pcall(dofile, SCRIPT)
if not ended then
	print("complaint: the script cannot go on")
	print(why)
end
